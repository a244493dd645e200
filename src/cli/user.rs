//! x
pub fn unattended(_db: &crate::db::Db) -> crate::error::Result<()> {
    Ok(())
}
