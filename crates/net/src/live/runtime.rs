//! The tokio runtime of a world, on a thread of its own: for the services beside the processes.

use std::{io, thread};

use tokio::{runtime, sync::oneshot};

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
