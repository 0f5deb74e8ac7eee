//! A change of a plug-in's module, policy and signature at once: they are tried together, and take their places together.
//!
//! As for a version that is put back, what is to be in place is pending while files are renamed; if the process is killed
//! meanwhile, the next start finishes it ([`crate::plugins::rollback::finish`]).

use crate::plugins::deploy::{Deploy, Done, Refused, present, unread};
use crate::plugins::files::{Parts, read_signature, signature_paths};
use crate::plugins::policy::POLICY_BYTES_MAX;
use crate::plugins::rollback::{commit, stage};
use crate::plugins::signature;
use crate::plugins::versions::{Contents, Versions};
use crate::plugins::write;
use std::path::Path;

/// What is to become of one of a plug-in's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It stays as it is.
    Keep,
    /// It goes.
    Remove,
    /// This takes its place.
    Put(Vec<u8>),
}

impl Deploy<'_> {
    /// Changes module, policy and signature of the plug-in called `name`. Without `module`, the one that is there stays.
    ///
    /// # Errors
    /// [`Refused`], [`Refused::Absent`] if there is no module; nothing has changed then.
    pub fn put_together(
        &mut self,
        name: &str,
        module: Option<&[u8]>,
        policy: &Part,
        signature: &Part,
    ) -> Result<Done, Refused> {
        let path = self.module_path(name);
        let module_before = self.module(name);
        let before = present(&module_before);
        let bytes = match (module, &module_before) {
            (Some(module), _) => module.to_vec(),
            (None, Ok(module)) => module.clone(),
            (None, Err(_)) => return Err(module_before.err().unwrap_or(Refused::Absent)),
        };
        let policy_text = match policy {
            Part::Keep => self.folder.settled_policy(&path).ok_or(Refused::Unsettled)?.map_err(unread)?,
            Part::Remove => None,
            Part::Put(text) => Some(policy_of(text)?),
        };
        let signatures = match signature {
            Part::Keep => Parts::read_signatures(&path, self.server).map_err(unread)?,
            Part::Remove => Vec::new(),
            Part::Put(text) => vec![signature_of(text)?],
        };
        let parts = Parts { module: bytes.as_slice().into(), policy: policy_text, signatures };
        let loaded = self.tried(&parts, &path)?;
        let digest = loaded.digest;
        let former = self.keep_former(name, &path, module_before)?;
        if (policy, signature) == (&Part::Keep, &Part::Keep) {
            write::write(&path, &bytes)?;
        } else {
            let signature = match signature {
                Part::Keep => read_signature(&signature_paths(&path)[0]).map_err(unread)?,
                _ => parts.signatures.first().cloned(),
            };
            let contents = Contents {
                module: bytes.clone(),
                policy: parts.policy.clone(),
                signature,
                policy_mode: None,
            };
            self.replace_all(name, &contents, &path)?;
        }
        self.put(name, loaded, path, &parts);
        self.prune(former);
        Ok(if before.is_some() { Done::Replaced(digest) } else { Done::Created(digest) })
    }

    fn replace_all(&self, name: &str, contents: &Contents, path: &Path) -> Result<(), Refused> {
        // Renames need no room on the disk, so what could fail for want of it comes before.
        let staged = stage(contents, path)?;
        let versions = Versions::create(self.folder.path(), name)?;
        versions.pend(contents)?;
        let done = commit(staged, path);
        if let Err(error) = versions.settle() {
            log::warn!("plug-in {name}: what was put in place is still there: {error}");
        }
        Ok(done?)
    }
}

fn policy_of(text: &[u8]) -> Result<String, Refused> {
    if text.len() > POLICY_BYTES_MAX {
        let size = text.len();
        return Err(Refused::Invalid(format!("the policy has {size} bytes, more than {POLICY_BYTES_MAX}")));
    }
    let text = std::str::from_utf8(text).map_err(|_| Refused::Invalid("its policy is not UTF-8".into()))?;
    Ok(text.into())
}

fn signature_of(text: &[u8]) -> Result<String, Refused> {
    let text =
        std::str::from_utf8(text).map_err(|_| Refused::Invalid("its signature is not UTF-8".into()))?;
    signature::check_form(text).map_err(Refused::Invalid)?;
    Ok(text.into())
}
