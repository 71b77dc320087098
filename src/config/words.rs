//! Settings whose value is one of a few words, in the spelling people use.

use serde::Deserialize;

use crate::proxy::{Auth, Inbound};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum InboundWord {
    Open,
    Known,
    Off,
}

impl InboundWord {
    pub(super) const fn value(self) -> Inbound {
        match self {
            Self::Open => Inbound::Open,
            Self::Known => Inbound::Known,
            Self::Off => Inbound::Off,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AuthWord {
    Off,
    On,
    Md5,
}

impl AuthWord {
    pub(super) const fn value(self) -> Auth {
        match self {
            Self::Off => Auth::Off,
            Self::On => Auth::On,
            Self::Md5 => Auth::Md5,
        }
    }
}
