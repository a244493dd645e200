//! What is said of files that can't be read, whichever of the readers finds it.

use crate::error::Error;
use crate::words::Code;

/// The file is broken or was cut off.
pub(super) fn damaged() -> Error {
    Error::problem(
        Code::UnreadableFile,
        "The file is damaged and cannot be read. Open it in Excel, save it under a new name, and add that.",
    )
}

/// The file is encrypted by LibreOffice.
pub(super) fn password_of_libreoffice() -> Error {
    Error::problem(
        Code::PasswordProtected,
        "The file is protected with a password. Remove the password in LibreOffice (File › Save As, untick \"Save with password\") and add it again.",
    )
}

/// The file is encrypted.
pub(super) fn password() -> Error {
    Error::problem(
        Code::PasswordProtected,
        "The file is protected with a password. Remove the password in Excel (File › Info › Protect Workbook), or in the program that made the file, and add it again.",
    )
}
