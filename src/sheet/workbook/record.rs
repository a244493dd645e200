//! Little-endian numbers in binary records, read without ever running past their end.

/// The rest of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

impl<'b> Bytes<'b> {
    /// The next `count` bytes; `None` where there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn f64(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A 32-bit number as a count or a length.
    pub(super) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }
}

/// An RK number: 30 bits that are an integer or the upper end of a float, perhaps hundredths.
pub(super) fn rk(raw: u32) -> f64 {
    let number = if raw & 2 != 0 {
        f64::from(raw.cast_signed() >> 2)
    } else {
        f64::from_bits(u64::from(raw & !3) << 32)
    };
    if raw & 1 != 0 { number / 100.0 } else { number }
}

/// The name of an error cell's code.
pub(super) fn error_name(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        0x2B => "#GETTING_DATA",
        _ => "#ERROR!",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rk_numbers_are_integers_floats_or_hundredths() {
        assert_eq!(rk((42 << 2) | 2).to_string(), "42");
        assert_eq!(rk((1_234 << 2) | 3).to_string(), "12.34");
        assert_eq!(rk(0xFFFF_FFFE).to_string(), "-1");
        assert_eq!(rk(0x3FF8_0000).to_string(), "1.5");
    }

    #[test]
    fn a_record_that_is_too_short_has_no_number() {
        let mut bytes = Bytes(&[1, 0, 2]);
        assert_eq!(bytes.u16(), Some(1));
        assert_eq!(bytes.u16(), None);
        assert_eq!(bytes.u8(), Some(2));
        assert_eq!(bytes.u8(), None);
    }
}
