//! Puts objects into the object store, and deletes them.

use super::fetch::{Unfetched, fetch};
use super::names::{self, NODES_HEADER, Name};
use super::object::{Said, read, token_of};
use super::tail::{self, Failed};
use async_nats::HeaderMap;
use async_nats::jetstream::object_store::{DeleteErrorKind, ObjectMetadata, ObjectStore};
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};

/// Bytes of a former object that is kept to be put back: more than any node takes.
const FORMER_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// An object store to write to.
pub struct Store {
    bucket: String,
    objects: ObjectStore,
    stream: Stream,
}

impl Store {
    /// The object store `bucket`.
    ///
    /// # Errors
    /// A sentence.
    pub async fn open(client: &async_nats::Client, bucket: &str) -> Result<Store, String> {
        let context = tail::patient(client);
        let stream = tail::stream(&context, &names::stream(bucket)).await.map_err(|failed| match failed {
            Failed::Absent => format!("there is no object store {bucket} (fuelbox fleet init)"),
            Failed::Other(what) => what,
        })?;
        let objects = context.get_object_store(bucket).await.map_err(|error| error.to_string())?;
        Ok(Store { bucket: bucket.into(), objects, stream })
    }

    /// Puts `bytes` as the object `name`, for `nodes` if it is a canary.
    ///
    /// # Errors
    /// A sentence.
    pub async fn put(&self, name: &Name, bytes: &[u8], nodes: &[String]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        if name.is_canary {
            headers.insert(NODES_HEADER, nodes.join(",").as_str());
        }
        let headers = (!headers.is_empty()).then_some(headers);
        let meta = ObjectMetadata { name: name.object(), headers, ..ObjectMetadata::default() };
        let mut bytes = bytes;
        let put = self.objects.put(meta, &mut bytes).await;
        put.map(drop).map_err(|error| format!("{} is not put: {error}", name.object()))
    }

    /// Deletes the object `name`; whether there was one.
    ///
    /// # Errors
    /// A sentence.
    pub async fn delete(&self, name: &Name) -> Result<bool, String> {
        if !self.is_there(name).await? {
            return Ok(false);
        }
        match self.objects.delete(name.object()).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == DeleteErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("{} is not deleted: {error}", name.object())),
        }
    }

    /// Whether there is an object `name`, be it one that no node can use.
    async fn is_there(&self, name: &Name) -> Result<bool, String> {
        Ok(!matches!(self.said(name).await?, None | Some(Said::Deleted)))
    }

    async fn said(&self, name: &Name) -> Result<Option<Said>, String> {
        let token = token_of(&name.object());
        let subject = format!("{}{token}", names::metas(&self.bucket));
        match self.stream.get_last_raw_message_by_subject(&subject).await {
            Ok(message) => Ok(read(&token, &message.payload).map(|(_, said)| said)),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(format!("{}: {error}", name.object())),
        }
    }

    /// What is there as `name`.
    ///
    /// # Errors
    /// A sentence.
    pub async fn get(&self, name: &Name) -> Result<Option<Vec<u8>>, String> {
        let Some(Said::There(object)) = self.said(name).await? else { return Ok(None) };
        let limit = (FORMER_BYTES_MAX, "the limit of what is put back");
        match fetch(&self.stream, &self.bucket, &object, limit).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Unfetched::Refused(why) | Unfetched::Passing(why)) => {
                Err(format!("{}: {why}", name.object()))
            }
        }
    }
}
