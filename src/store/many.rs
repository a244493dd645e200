//! Statements that put in many rows at once: to begin and end a statement costs as much as its row.

/// Rows that such a statement puts in; what is left over goes in one by one.
pub(super) const AT_ONCE: usize = 16;

/// A statement for so many rows. `into` is up to `VALUES`; the first `shared` parameters are those of every
/// row, and each row has `own` ones of its own after them.
pub(super) fn insertion(into: &str, shared: usize, own: usize, rows: usize) -> String {
    let mut sql = format!("{into} VALUES ");
    for row in 0..rows {
        sql.push_str(if row > 0 { ", (" } else { "(" });
        let first = shared + row * own;
        let parameters: Vec<String> = (0..shared)
            .chain(first..first + own)
            .map(|at| format!("?{}", at + 1))
            .collect();
        sql.push_str(&parameters.join(", "));
        sql.push(')');
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_the_first_parameters_and_have_the_others_of_their_own() {
        assert_eq!(
            insertion("INSERT INTO t (a, b, c)", 1, 2, 2),
            "INSERT INTO t (a, b, c) VALUES (?1, ?2, ?3), (?1, ?4, ?5)"
        );
    }
}
