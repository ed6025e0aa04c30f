/* dwk_team.h: the workers of a network that runs on several threads: how they share the parts of each step.
 *
 * Every phase of a network (a step, or a half of one) has a part for each worker, and a worker begins with its own. Who
 * has done it looks for a part that nobody has begun, because the thread of its owner does not run, and does that one
 * too. So a worker waits only for parts that somebody computes. Which thread computes a part changes no bit of it.
 *
 * Needs DWL_THREADS, the most workers. dwk_threads.h makes and ends their threads. */
#ifndef DWK_TEAM_H
#define DWK_TEAM_H

#include "dwk_system.h"

/* One worker in one call. */
typedef struct {
    int32_t index;    /* of the part that it does: the steps compute that one */
    int32_t count;    /* of the parts of a phase, as many as there are workers */
    int32_t number;   /* of the worker, and of its own part; 0 is the thread that called */
    int32_t is_busy;  /* whether it does a part */
    int32_t patience; /* how often it still looks before it takes the part of another in this phase */
    int32_t moved;    /* parts of this call, as far as it knows, that others than their owners did */
    uint64_t phase;   /* the present one; they are counted on over all calls */
} dwk_worker;

/* A network, as each worker of one call runs it. */
typedef void dwk_network(const uint8_t *pixels, uint8_t *arena, dwk_worker *worker);

/* What one of them does: from `first` to before `end`. */
typedef struct {
    int32_t first, end;
} dwk_part;

/* The part, with a worker's index, of `count` things, in whole grains: what lies in a grain is done by one worker, as
 * it is when there is only one. That is why answers do not depend on their number. */
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

#if DWK_HAS_THREADS

/* How often a worker looks whether another one has come before it sleeps: about 100 microseconds on Zen 4. */
#define DWK_LOOKS 4000
/* How often it looks before it takes a part that its owner has not begun: about a microsecond. */
#define DWK_PATIENCE 60

/* A number that only grows, and for whose next value threads can wait. */
typedef struct {
    _Alignas(64) _Atomic uint64_t value;
    _Atomic uint32_t sleepers; /* threads that wait for it in their sleep */
} dwk_count;

/* A part in all phases. Only who looks for a part to take reads `begun` of another's, so it has a cache line of its
 * own. */
typedef struct {
    _Alignas(64) _Atomic uint64_t begun; /* the last phase in which somebody began the part */
    dwk_count done;                      /* the last phase in which it was done */
} dwk_progress;

/* Of all files of an artifact together; dwk_threads.h, which one of them includes, makes them. */
extern dwk_progress dwk_parts[DWL_THREADS] __attribute__((visibility("hidden")));

/* Give a number its next value. The order of all threads (seq_cst) is needed: whoever counts himself among the sleepers
 * before this looks is woken, and whoever does after sees the value. */
static inline void dwk_raise(dwk_count *count, uint64_t value)
{
    atomic_store(&count->value, value);
    if (atomic_load(&count->sleepers) != 0) {
        dwk_wake(&count->value);
    }
}

static inline int32_t dwk_has_reached(dwk_count *count, uint64_t value)
{
    return atomic_load_explicit(&count->value, memory_order_acquire) >= value;
}

/* Return when a number has reached a value: awake at first, then asleep. */
static inline void dwk_await(dwk_count *count, uint64_t value)
{
    for (int32_t look = 0; look < DWK_LOOKS; look++) {
        if (dwk_has_reached(count, value)) {
            return;
        }
        DWK_PAUSE();
    }
    atomic_fetch_add(&count->sleepers, 1);
    uint64_t now = atomic_load(&count->value);
    while (now < value) {
        dwk_sleep(&count->value, (uint32_t)now);
        now = atomic_load(&count->value);
    }
    atomic_fetch_sub(&count->sleepers, 1);
}

/* Begin a part, unless somebody has begun it. A worker that lags behind in a phase that is over, or in a call that is,
 * finds all parts begun: every part is begun once in every phase, so `begun` has passed the number that it expects. */
static inline int32_t dwk_begins(dwk_worker *worker, int32_t index)
{
    uint64_t before = worker->phase - 1;
    if (!atomic_compare_exchange_strong(&dwk_parts[index].begun, &before, worker->phase)) {
        return 0;
    }
    worker->index = index;
    worker->is_busy = 1;
    return 1;
}

/* Begin the part of another worker that has not begun it itself for a while; 0 where there is none. */
static inline int32_t dwk_begins_another(dwk_worker *worker)
{
    for (int32_t i = 1; i < worker->count; i++) {
        const int32_t next = worker->number + i;
        const int32_t index = next < worker->count ? next : next - worker->count; /* a division would take longer */
        dwk_progress *part = &dwk_parts[index];
        while (!dwk_has_reached(&part->done, worker->phase) && worker->patience > 0) {
            worker->patience--;
            DWK_PAUSE();
        }
        if (!dwk_has_reached(&part->done, worker->phase) && dwk_begins(worker, index)) {
            worker->moved++;
            return 1;
        }
    }
    return 0;
}

/* Give a worker a part of the present phase to do. 0 when all parts are done, its own too, whoever did them: what they
 * wrote the next phase may read. */
static inline int32_t dwk_takes(dwk_worker *worker)
{
    if (worker->count == 1) {
        worker->is_busy = !worker->is_busy;
        return worker->is_busy;
    }
    if (worker->is_busy) {
        worker->is_busy = 0;
        dwk_raise(&dwk_parts[worker->index].done, worker->phase);
    } else {
        worker->phase++;
        worker->patience = DWK_PATIENCE;
        if (dwk_begins(worker, worker->number)) {
            return 1;
        }
        worker->moved++;
    }
    if (dwk_begins_another(worker)) {
        return 1;
    }
    for (int32_t index = 0; index < worker->count; index++) {
        dwk_await(&dwk_parts[index].done, worker->phase);
    }
    return 0;
}

#else

static inline int32_t dwk_takes(dwk_worker *worker)
{
    worker->is_busy = !worker->is_busy;
    return worker->is_busy;
}

#endif

#endif
