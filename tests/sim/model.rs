//! What has to be remembered to tell right from wrong; it knows no more of the machines than it must.

use crate::host::{Durable, Host, HostId};

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Model {}

impl Model {
    pub(crate) fn starts(&mut self, _id: HostId, _host: &Host) {}
    pub(crate) fn receives(&mut self, _host: &Host, _bytes: &[u8]) {}
    pub(crate) fn durable(&mut self, _id: HostId, _hosts: &[Host], _durable: Durable) -> Result<(), String> {
        Ok(())
    }
}
