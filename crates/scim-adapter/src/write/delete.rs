//! Deletions.

use super::{Effect, RECHECKS, WriteError, Writer, Written};
use crate::error::Refusal;
use crate::retry::MAX_TRIES;
use model::GroupId;
use model::plan::Request;

impl Writer {
    /// Deletes a group. One that is not there is deleted.
    pub(super) async fn delete_group(&self, request: &Request, id: &GroupId) -> Result<Written, WriteError> {
        let done = |effect| Written { id: id.to_string(), effect, fallback_used: None, is_well: None };
        let gone = async || {
            self.reader.read_group(id).await.map(|group| group.is_none()).map_err(WriteError::unknown)
        };
        let mut tries = 0;
        loop {
            let error = match self.send(request).await {
                Ok(_) => break,
                Err(error) if error.refusal().is_some_and(Refusal::is_missing) => {
                    return Ok(done(Effect::Took));
                }
                Err(error) => error,
            };
            tries += 1;
            if !error.is_passing() {
                return Err(WriteError::request(error, tries > 1));
            }
            self.pause(tries).await;
            if error.may_have_acted() && gone().await? {
                return Ok(done(Effect::Took));
            }
            if tries >= MAX_TRIES {
                return Err(WriteError::request(error, true));
            }
        }
        for pause in RECHECKS {
            if gone().await? {
                return Ok(done(Effect::Took));
            }
            tokio::time::sleep(pause).await;
        }
        let effect = if gone().await? {
            Effect::Took
        } else {
            Effect::Without { what: vec!["displayName".to_owned()] }
        };
        Ok(done(effect))
    }
}
