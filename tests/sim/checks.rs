//! Checks.
use crate::host::{Host, HostId, Told};
use crate::model::Model;

pub(crate) fn told(_model: &mut Model, _hosts: &[Host], _id: HostId, _told: &Told) -> Result<(), String> {
    Ok(())
}
pub(crate) fn transmitted(
    _model: &mut Model,
    _hosts: &[Host],
    _id: HostId,
    _bytes: &[u8],
) -> Result<(), String> {
    Ok(())
}
