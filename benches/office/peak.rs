//! What a program and its children have in memory together, watched from outside (Linux).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long between two looks; reading a large file takes many times as long.
const PAUSE: Duration = Duration::from_millis(2);

/// Looks at a program and its children again and again.
pub(crate) struct Watch {
    ended: Arc<AtomicBool>,
    looks: JoinHandle<Most>,
}

/// MiB at most.
#[derive(Default)]
pub(crate) struct Most {
    /// Of all of them at one time.
    pub(crate) together: f64,
    /// Of the largest alone.
    pub(crate) largest: f64,
    /// Of the largest child.
    pub(crate) child: f64,
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

    /// MiB at most until now: of all of them at one time, and of the largest alone.
    pub(crate) fn most(self) -> (f64, f64) {
        let most = self.most_of_each();
        (most.together, most.largest)
    }

    /// The same, with the children told apart.
    pub(crate) fn most_of_each(self) -> Most {
        self.ended.store(true, Ordering::Relaxed);
        self.looks.join().unwrap()
    }
}

/// Runs a command to its end: MiB that it and its children had at most, together and the largest alone.
pub(crate) fn run(command: &mut std::process::Command) -> (f64, f64) {
    let most = run_each(command);
    (most.together, most.largest)
}

/// The same, with the children told apart.
pub(crate) fn run_each(command: &mut std::process::Command) -> Most {
    let mut child = command.spawn().unwrap();
    let watch = Watch::of(child.id());
    assert!(child.wait().unwrap().success(), "{command:?}");
    watch.most_of_each()
}

/// What one process has in memory, in MiB.
struct Memory {
    number: u32,
    now: f64,
    /// Since it began: also what it had between two looks.
    most: f64,
}

/// Of a program and of each of its children, those that have just ended left out.
fn memory_of_all(program: u32) -> Vec<Memory> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        // Children have later numbers, and to look at every program takes long.
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
