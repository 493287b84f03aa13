//! stand-in
pub fn run() -> Result<bool, String> {
    Ok(true)
}
