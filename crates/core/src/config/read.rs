//! TOML text to [`Config`] and back, with the byte range of whatever is wrong.
