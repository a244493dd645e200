//! Process (to come).
