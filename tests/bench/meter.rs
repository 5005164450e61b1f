//! What a piece of work costs: its time on the processor, its time on the wall, the memory of its process.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// What a piece of work cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Time of this process on a processor: what others do on the machine is not in it.
    pub(crate) cpu: Duration,
    /// Time on the wall.
    pub(crate) wall: Duration,
    /// The most memory that the process ever had, in bytes (`VmHWM`).
    pub(crate) peak: u64,
}

impl Cost {
    /// Does the work, and says what it cost.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    pub(crate) fn of(work: impl FnOnce()) -> Cost {
        let (cpu, wall) = (on_processor(), Instant::now());
        work();
        Cost { cpu: on_processor().saturating_sub(cpu), wall: wall.elapsed(), peak: peak() }
    }

    /// As a line for the process that asked.
    pub(crate) fn line(&self) -> Value {
        json!({ "cpu_ns": nanos(self.cpu), "wall_ns": nanos(self.wall), "peak": self.peak })
    }

    /// Reads [`Cost::line`].
    pub(crate) fn read(line: &str) -> Option<Cost> {
        let value: Value = serde_json::from_str(line).ok()?;
        let time = |key: &str| value[key].as_u64().map(Duration::from_nanos);
        Some(Cost { cpu: time("cpu_ns")?, wall: time("wall_ns")?, peak: value["peak"].as_u64()? })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The time of this process on a processor.
fn on_processor() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// The most memory that this process ever had.
fn peak() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
