//! Drills side by side, their results in the order of the drills.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Does `work` for each item, at most `jobs` at a time; results stand in the order of the items, and `done` hears
/// of each as it ends.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    jobs: Option<NonZeroUsize>,
    work: impl Fn(&T) -> R + Sync,
    done: impl Fn(&T, &R) + Sync,
) -> Vec<R> {
    let jobs = jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(|| {
                while let Some((item, place)) = take(items, &results, &next) {
                    let result = work(item);
                    done(item, &result);
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    results
        .into_iter()
        .filter_map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

fn take<'a, T, R>(items: &'a [T], places: &'a [R], next: &AtomicUsize) -> Option<(&'a T, &'a R)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((items.get(index)?, places.get(index)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        for jobs in [1, 2, 7] {
            let doubled = each(&items, NonZeroUsize::new(jobs), |item| item * 2, |_, _| {});
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>(), "{jobs} jobs");
        }
        assert!(each(&[] as &[u32], None, |item| *item, |_, _| {}).is_empty());
    }
}
