/* dwk_team.h: the workers of a network that runs on several threads: what each of them does, and where they meet.
 *
 * Needs DWL_THREADS, the most of them. dwk_threads.h makes and ends them. */
#ifndef DWK_TEAM_H
#define DWK_TEAM_H

#include <stdatomic.h>
#include <stdint.h>

/* One worker in one call; number 0 is the thread that called. */
typedef struct {
    int32_t index;
    int32_t count; /* of the workers */
    uint32_t round; /* how often they have met */
} dwk_worker;

/* A network, as each worker of one call runs it. */
typedef void dwk_network(const uint8_t *pixels, uint8_t *arena, dwk_worker *worker);

/* What one of them does: from `first` to before `end`. */
typedef struct {
    int32_t first, end;
} dwk_part;

/* A worker's part of `count` things, in whole grains: what lies in a grain is done by one worker, as it is when there is
 * only one. That is why answers do not depend on their number. */
static inline dwk_part dwk_own(const dwk_worker *worker, int32_t count, int32_t grain)
{
    const int32_t grains = (count + grain - 1) / grain;
    const dwk_part own = {grains * worker->index / worker->count * grain,
                          grains * (worker->index + 1) / worker->count * grain};
    return own.end > count ? (dwk_part){own.first, count} : own;
}

/* What of a part lies in `count` things from `start` on, counted from there. */
static inline dwk_part dwk_within(dwk_part part, int32_t start, int32_t count)
{
    const int32_t first = part.first < start ? start : part.first;
    const int32_t end = part.end > start + count ? start + count : part.end;
    return first < end ? (dwk_part){first - start, end - start} : (dwk_part){0, 0};
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define DWK_HAS_THREADS 1
#else
#define DWK_HAS_THREADS 0
#endif

#if DWK_HAS_THREADS

/* How often a worker looks whether another one has come before it sleeps: about 100 microseconds on Zen 4. */
#define DWK_LOOKS 4000

#if defined(__x86_64__)
#define DWK_PAUSE() __asm__ volatile("pause")
#define DWK_FUTEX 202
#define DWK_MADVISE 28
#define DWK_PAGE 4096
#else
/* "yield" does nothing on most processors. */
#define DWK_PAUSE() __asm__ volatile("isb" ::: "memory")
#define DWK_FUTEX 98
#define DWK_MADVISE 233
#define DWK_PAGE 65536 /* the largest that a kernel may have */
#endif
/* Of the kernel's interface: for words that no other process knows. */
#define DWK_FUTEX_WAIT 128
#define DWK_FUTEX_WAKE 129
/* For pages of which a forked process finds zeros. */
#define DWK_WIPE_ON_FORK 18

/* Declared under a name of our own, as artifacts are compiled without the headers of a C library. */
extern long dwk_syscall(long number, ...) __asm__("syscall");

/* How far a worker has come, on a cache line that it alone writes but for `sleepers`. */
typedef struct {
    _Alignas(64) _Atomic uint32_t round;
    _Atomic uint32_t sleepers; /* workers that wait for it in their sleep */
} dwk_flag;

/* Of all files of an artifact together; dwk_threads.h, which one of them includes, makes them. */
extern dwk_flag dwk_flags[DWL_THREADS] __attribute__((visibility("hidden")));

static inline void dwk_sleep(_Atomic uint32_t *word, uint32_t while_it_is)
{
    (void)dwk_syscall(DWK_FUTEX, word, DWK_FUTEX_WAIT, while_it_is, (void *)0, (void *)0, 0);
}

static inline void dwk_wake(_Atomic uint32_t *word)
{
    (void)dwk_syscall(DWK_FUTEX, word, DWK_FUTEX_WAKE, INT32_MAX, (void *)0, (void *)0, 0);
}

/* Tell the others that a worker has come to a round. The order of all threads (seq_cst) is needed: whoever counts
 * himself among the sleepers before this looks is woken, and whoever does after sees the round. */
static inline void dwk_come(dwk_flag *flag, uint32_t round)
{
    atomic_store(&flag->round, round);
    if (atomic_load(&flag->sleepers) != 0) {
        dwk_wake(&flag->round);
    }
}

static inline int32_t dwk_is_behind(uint32_t now, uint32_t round) { return (int32_t)(now - round) < 0; }

/* Return when a worker has come to a round. */
static void dwk_await(dwk_flag *flag, uint32_t round)
{
    for (int32_t look = 0; look < DWK_LOOKS; look++) {
        if (!dwk_is_behind(atomic_load_explicit(&flag->round, memory_order_acquire), round)) {
            return;
        }
        DWK_PAUSE();
    }
    atomic_fetch_add(&flag->sleepers, 1);
    uint32_t now = atomic_load(&flag->round);
    while (dwk_is_behind(now, round)) {
        dwk_sleep(&flag->round, now);
        now = atomic_load(&flag->round);
    }
    atomic_fetch_sub(&flag->sleepers, 1);
}

/* Go on when all workers have come here: what one of them wrote before, the others may then read. */
static inline void dwk_meet(dwk_worker *worker)
{
    if (worker->count == 1) {
        return;
    }
    worker->round++;
    dwk_come(&dwk_flags[worker->index], worker->round);
    for (int32_t other = 0; other < worker->count; other++) {
        if (other != worker->index) {
            dwk_await(&dwk_flags[other], worker->round);
        }
    }
}

#else

static inline void dwk_meet(dwk_worker *worker) { (void)worker; }

#endif

#endif
