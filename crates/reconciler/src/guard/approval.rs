//! One-time consent: a person lets one plan pass the limits that it is above.

use super::{Consent, Guard, in_order};
use model::plan::{Outcome, Verdict};

/// The hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// The digest that was given is not that of the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongDigest {
    /// It cannot be any plan's.
    #[error(
        "{given} is not the digest of a plan: that has {DIGEST_DIGITS} hexadecimal digits, and all are needed"
    )]
    NotADigest {
        /// What was given.
        given: String,
    },
    /// It is another plan's, or that of this plan before something moved.
    #[error("the approval is for the plan with the digest {given}, and this plan's is {plan}")]
    OtherPlan {
        /// The digest that was given.
        given: String,
        /// The digest of the plan.
        plan: String,
    },
}

/// Turns each block that a person may pass into a warning, if `given` is the digest of the plan, and returns how many
/// there were. What no approval passes ([`Guard::consent`]) still blocks. Letter case and blanks around `given` do not
/// matter; a shortened digest is not accepted, since somebody else could make a plan that begins like it.
///
/// # Errors
/// When `given` is not `plan_digest`. No verdict is changed then.
pub fn approve(verdicts: &mut [Verdict], plan_digest: &str, given: &str) -> Result<usize, WrongDigest> {
    let given = given.trim().to_ascii_lowercase();
    if given.len() != DIGEST_DIGITS || !given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(WrongDigest::NotADigest { given });
    }
    if given != plan_digest.to_ascii_lowercase() {
        return Err(WrongDigest::OtherPlan { given, plan: plan_digest.to_owned() });
    }
    let mut approved = 0;
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.outcome == Outcome::Block) {
        if Guard::named(verdict.guard).is_some_and(|guard| guard.consent() == Consent::Passes) {
            verdict.outcome = Outcome::Warn;
            verdict.message.push_str("; this is above the limit, and was approved for this plan");
            verdict.remedy.clear();
            approved += 1;
        }
    }
    in_order(verdicts);
    Ok(approved)
}
