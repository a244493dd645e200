//! What a program and its children have in memory together, watched from outside (Linux).

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long between two looks; reading a large file takes many times as long.
const PAUSE: Duration = Duration::from_millis(2);

/// So many looks at least make a figure: a program that ends after a few of them is run again.
const LOOKS_MIN: usize = 20;

/// Runs after which a program that is hardly ever seen is given up.
const RUNS_MAX: usize = 1_000;

/// Looks at a program and its children again and again.
pub(crate) struct Watch {
    ended: Arc<AtomicBool>,
    looks: JoinHandle<Most>,
}

/// MiB at most, as far as was seen: what a process had between two looks counts, what it had after the last one
/// doesn't.
#[derive(Default)]
pub(crate) struct Most {
    /// Of all of them at one time.
    pub(crate) together: f64,
    /// Of the largest alone.
    pub(crate) largest: f64,
    /// Of the largest child.
    pub(crate) child: f64,
    /// How often the program was there to be looked at, and how often a child.
    looks: usize,
    looks_at_child: usize,
}

impl Most {
    fn and(self, other: &Most) -> Most {
        Most {
            together: self.together.max(other.together),
            largest: self.largest.max(other.largest),
            child: self.child.max(other.child),
            looks: self.looks + other.looks,
            looks_at_child: self.looks_at_child + other.looks_at_child,
        }
    }
}

impl Watch {
    /// Of the program with that number.
    pub(crate) fn of(program: u32) -> Watch {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = ended.clone();
        let looks = std::thread::spawn(move || {
            let mut most = Most::default();
            while !seen.load(Ordering::Relaxed) {
                let each = memory_of_all(program);
                most.looks += usize::from(!each.is_empty());
                most.looks_at_child += usize::from(each.len() > 1);
                most.together = most.together.max(each.iter().map(|one| one.now).sum());
                for one in each {
                    most.largest = most.largest.max(one.most);
                    if one.number != program {
                        most.child = most.child.max(one.most);
                    }
                }
                std::thread::sleep(PAUSE);
            }
            most
        });
        Watch { ended, looks }
    }

    /// The most until now.
    pub(crate) fn most(self) -> Most {
        self.ended.store(true, Ordering::Relaxed);
        self.looks.join().unwrap()
    }
}

/// What a command without children has, run to its end.
pub(crate) fn run_alone(command: &mut Command) -> Most {
    run(command, |seen| seen.looks)
}

/// What a command and its children have, run to its end.
pub(crate) fn run_with_child(command: &mut Command) -> Most {
    run(command, |seen| seen.looks_at_child)
}

/// As often as it takes to have seen enough of it.
fn run(command: &mut Command, looks: impl Fn(&Most) -> usize) -> Most {
    let mut most = Most::default();
    for _ in 0..RUNS_MAX {
        let mut program = command.spawn().unwrap();
        let watch = Watch::of(program.id());
        assert!(program.wait().unwrap().success(), "{command:?}");
        most = watch.most().and(&most);
        if looks(&most) >= LOOKS_MIN {
            return most;
        }
    }
    panic!("it always ended before it was seen: {command:?}")
}

/// What one process has in memory, in MiB.
struct Memory {
    number: u32,
    now: f64,
    /// Since it began, as the kernel keeps it: also what it had between two looks.
    most: f64,
}

/// Of a program and of each of its children, those that have just ended left out.
fn memory_of_all(program: u32) -> Vec<Memory> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        // Children have later numbers, and to look at every program takes long. Where the numbers have begun anew
        // since the program started, a child has an earlier one and is missed.
        .filter(|number: &u32| *number >= program)
        .filter_map(|number| memory(number, program))
        .collect()
}

/// Of the process with that number, where it is `program` or its child.
fn memory(number: u32, program: u32) -> Option<Memory> {
    let text = std::fs::read_to_string(format!("/proc/{number}/status")).ok()?;
    let told = |name: &str| -> Option<u32> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    if number != program && told("PPid:")? != program {
        return None;
    }
    let mib = |name| Some(f64::from(told(name)?) / 1024.0);
    Some(Memory {
        number,
        now: mib("VmRSS:")?,
        most: mib("VmHWM:")?,
    })
}
