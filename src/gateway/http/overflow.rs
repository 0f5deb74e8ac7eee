//! The interface to whoever takes requests that this gateway has no free worker for.

use super::message::{Request, Response};
use std::time::Instant;

/// Passes requests on to other gateways.
pub trait Overflow: Send + Sync {
    /// What passes on a request that was whole at `begin`; none if that cannot be done now.
    fn prepare(&self, request: &Request, begin: Instant) -> Option<Box<dyn FnOnce(Answer) + Send>>;
}

/// Where the response to a request goes that was passed on. Dropped without one, it says that nobody took the request.
pub struct Answer(Option<Box<dyn FnOnce(Option<Response>) + Send>>);

impl Answer {
    /// Calls `give` once, from whatever thread.
    pub fn new(give: impl FnOnce(Option<Response>) + Send + 'static) -> Answer {
        Answer(Some(Box::new(give)))
    }

    /// Gives the response.
    pub fn give(mut self, response: Response) {
        if let Some(give) = self.0.take() {
            give(Some(response));
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(give) = self.0.take() {
            give(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::http::message::TEXT;
    use std::sync::mpsc::channel;

    #[test]
    fn an_answer_comes_once_whatever_happens_to_it() {
        let (sender, answers) = channel();
        let answer = || {
            let sender = sender.clone();
            Answer::new(move |response| sender.send(response.map(|response| response.status)).unwrap())
        };
        answer().give(Response::new(204, TEXT, ""));
        drop(answer());
        assert_eq!(answers.try_iter().collect::<Vec<_>>(), [Some(204), None]);
    }
}
