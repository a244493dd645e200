//! (replaced)
pub fn extend_for_user(
    _tx: &crate::db::Tx<'_>,
    _u: crate::id::UserId,
    _t: crate::clock::Timestamp,
) -> crate::error::Result<()> {
    Ok(())
}
