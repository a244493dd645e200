pub fn begin(_b: &mut Vec<u8>, _f: &[String]) -> crate::error::Result<()> {
    Ok(())
}
pub fn record(_b: &mut Vec<u8>, _f: &[String], _r: &serde_json::Value) -> crate::error::Result<()> {
    Ok(())
}
