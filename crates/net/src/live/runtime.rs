//! The tokio runtime of a world, on a thread of its own: for the services beside the processes.

use std::{io, sync::mpsc, thread};

use tokio::{runtime, sync::oneshot};

/// A task that yields so often has seen the runtime poll its sockets at least once: tokio looks after its
/// driver every 61 polls of tasks, and whenever nothing else is to be done.
const ROUNDS: u32 = 128;

/// A current-thread runtime that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: runtime::Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Runtime {
    pub(super) fn start() -> io::Result<Runtime> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            // The sender is dropped, never used: that ends the wait, and the runtime with all its tasks.
            let _ = runtime.block_on(stopped);
        };
        let thread = thread::Builder::new().name("mxdrill-live".into()).spawn(serve)?;
        Ok(Runtime { handle, stop: Some(stop), thread: Some(thread) })
    }

    pub(super) fn handle(&self) -> &runtime::Handle {
        &self.handle
    }

    /// Asks whether all tasks have had their turn: the receiver hears of it when the runtime has polled its
    /// sockets and come round after that. On a busy machine that takes as long as it takes.
    pub(super) fn come_round(&self) -> mpsc::Receiver<()> {
        let (done, heard) = mpsc::channel();
        self.handle.spawn(async move {
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
            let _ = done.send(()); // a world that has ended does not listen
        });
        heard
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::warn!("a service of the world panicked");
        }
    }
}
