/* dwk_threads.h: the threads of an artifact. They belong to the process that asked for them (dw_set_threads), wait for
 * the next call, awake for a moment and then asleep, and end when there are to be fewer or the library is unloaded.
 *
 * One call at a time has them; a second one at the same time runs alone, in its own arena. */
#ifndef DWK_THREADS_H
#define DWK_THREADS_H

#include <stdint.h>

/* What the thread of a worker does; dwk_system.h begins those threads. */
static void dwk_work(int32_t number) __attribute__((unused));

#define DWK_MAKES_THREADS 1
#include "dwk_floats.h"
#include "dwk_team.h"

#if DWK_HAS_THREADS

dwk_progress dwk_parts[DWL_THREADS];

/* The most calls that run alone after one in which threads were of no use. */
#define DWK_MOST_ALONE 63

static struct {
    _Atomic uint32_t taken; /* 0: nobody has the team; 1: a call or a change; 2: the same, and others may wait */
    _Atomic int32_t count;  /* of its workers, the caller included */
    uint64_t phase;         /* the last one of all calls so far */
    int32_t alone;          /* so many of the next calls run on the caller's thread only */
    int32_t pause;          /* how many did after the last call in which threads were of no use */
    dwk_thread threads[DWL_THREADS];
    /* The call: its first phase, 0 while there is none, and what to run. Workers that come late read it while the next
     * call is written. They believe what they read where the first phase was the same before and after. */
    dwk_count call;
    dwk_network *_Atomic network; /* none: workers are to end */
    const uint8_t *_Atomic pixels;
    uint8_t *_Atomic arena;
} dwk_team = {.count = 1};

/* Whose the team is: the number of the process, negative while that process makes it its own, 0 before. On a page for
 * itself that is zeros in a forked process where the kernel can do that (Linux 4.14): by their numbers alone two
 * processes are not told apart of which each is the first of its namespace. */
static union {
    _Alignas(DWK_PAGE) _Atomic int32_t process;
    uint8_t page[DWK_PAGE];
} dwk_owner;

/* Make a call known to the workers. Each of the three is stored with release, so that who reads one of them sees that
 * the call before is over. */
static void dwk_announce(dwk_network *network, const uint8_t *pixels, uint8_t *arena)
{
    atomic_store_explicit(&dwk_team.network, network, memory_order_release);
    atomic_store_explicit(&dwk_team.pixels, pixels, memory_order_release);
    atomic_store_explicit(&dwk_team.arena, arena, memory_order_release);
    dwk_raise(&dwk_team.call, dwk_team.phase + 1);
}

static void dwk_work(int32_t number)
{
    uint64_t call = 0;
    /* A thread begins with the settings of the one that made it. */
    (void)dwk_floats_begin();
    for (;;) {
        dwk_await(&dwk_team.call, call + 1);
        const uint64_t first = atomic_load(&dwk_team.call.value);
        dwk_network *network = atomic_load(&dwk_team.network);
        const uint8_t *pixels = atomic_load(&dwk_team.pixels);
        uint8_t *arena = atomic_load(&dwk_team.arena);
        if (first <= call || atomic_load(&dwk_team.call.value) != first) {
            continue; /* the call is over */
        }
        if (!network) {
            return;
        }
        call = first;
        dwk_worker self = {.number = number, .count = atomic_load(&dwk_team.count), .phase = first - 1};
        network(pixels, arena, &self);
    }
}

static int32_t dwk_take_if_free(void)
{
    uint32_t free = 0;
    return atomic_compare_exchange_strong(&dwk_team.taken, &free, 1);
}

static void dwk_give_back(void)
{
    if (atomic_exchange(&dwk_team.taken, 0) == 2) {
        dwk_wake(&dwk_team.taken);
    }
}

/* Run a network with all workers; the team is taken. */
static void dwk_shared(dwk_network *network, const uint8_t *pixels, uint8_t *arena)
{
    dwk_worker self = {.count = atomic_load_explicit(&dwk_team.count, memory_order_relaxed), .phase = dwk_team.phase};
    dwk_announce(network, pixels, arena);
    network(pixels, arena, &self);
    atomic_store_explicit(&dwk_team.call.value, 0, memory_order_relaxed);
    /* Where most parts of the others were moved, cores are busy with something else: 1 call runs alone, then 3, 7 ...
     */
    const uint64_t others = (self.phase - dwk_team.phase) * (uint64_t)(self.count - 1);
    const int32_t twice = 2 * dwk_team.pause + 1;
    dwk_team.pause = 2 * (uint64_t)self.moved <= others ? 0 : twice < DWK_MOST_ALONE ? twice : DWK_MOST_ALONE;
    dwk_team.alone = dwk_team.pause;
    dwk_team.phase = self.phase;
}

/* Run a network with the team where there is one, it is free and of use, else alone. */
static void dwk_together(dwk_network *network, const uint8_t *pixels, uint8_t *arena)
{
    /* A process that was forked has none of its parent's threads. */
    if (atomic_load_explicit(&dwk_team.count, memory_order_relaxed) > 1 &&
        atomic_load(&dwk_owner.process) == dwk_process() && dwk_take_if_free()) {
        const int32_t is_alone = dwk_team.alone > 0;
        if (is_alone) {
            dwk_team.alone--;
        } else {
            dwk_shared(network, pixels, arena);
        }
        dwk_give_back();
        if (!is_alone) {
            return;
        }
    }
    dwk_worker self = {.count = 1};
    network(pixels, arena, &self);
}

/* Threads for workers 1 to `count` - 1; fewer where the system gives no more. */
static void dwk_start(int32_t count)
{
    for (int32_t i = 0; i < DWL_THREADS; i++) {
        atomic_store(&dwk_parts[i].begun, 0);
        atomic_store(&dwk_parts[i].done.value, 0);
        atomic_store(&dwk_parts[i].done.sleepers, 0);
    }
    atomic_store(&dwk_team.call.value, 0);
    atomic_store(&dwk_team.call.sleepers, 0);
    dwk_team.phase = 0;
    dwk_team.alone = 0;
    dwk_team.pause = 0;
    atomic_store(&dwk_team.count, dwk_begin_threads(dwk_team.threads, count));
}

static void dwk_end(void)
{
    const int32_t count = atomic_exchange(&dwk_team.count, 1);
    dwk_announce((dwk_network *)0, (const uint8_t *)0, (uint8_t *)0);
    for (int32_t i = 1; i < count; i++) {
        dwk_join_thread(dwk_team.threads[i]);
    }
}

/* Make the team this process's own: it may be that of the parent from which it was forked, or nobody's. */
static void dwk_adopt(int32_t process)
{
    dwk_wipe_on_fork(&dwk_owner, sizeof dwk_owner);
    int32_t owner = atomic_load(&dwk_owner.process);
    while (owner != process) {
        if (owner != -process && atomic_compare_exchange_strong(&dwk_owner.process, &owner, -process)) {
            dwk_forget_sleepers();
            atomic_store(&dwk_team.count, 1);
            atomic_store(&dwk_team.taken, 0);
            atomic_store(&dwk_owner.process, process);
        }
        owner = atomic_load(&dwk_owner.process);
    }
}

/* dw_set_threads of depthwise.h. */
static int32_t dwk_set_threads(int32_t threads)
{
    dwk_adopt(dwk_process());
    if (threads < 1) {
        return atomic_load(&dwk_team.count);
    }
    while (atomic_exchange(&dwk_team.taken, 2) != 0) {
        dwk_sleep(&dwk_team.taken, 2);
    }
    threads = threads > DWL_THREADS ? DWL_THREADS : threads;
    if (threads != atomic_load(&dwk_team.count)) {
        dwk_end();
        dwk_start(threads);
        threads = atomic_load(&dwk_team.count);
    }
    dwk_give_back();
    return threads;
}

#ifndef _WIN32
/* When the library is unloaded or the process ends: a thread that still waits would go on in memory that is gone. */
__attribute__((destructor)) static void dwk_unload(void)
{
    if (atomic_load(&dwk_owner.process) == dwk_process() && dwk_take_if_free()) {
        dwk_end();
        dwk_give_back();
    }
}
#endif

#else

static void dwk_together(dwk_network *network, const uint8_t *pixels, uint8_t *arena)
{
    dwk_worker self = {.count = 1};
    network(pixels, arena, &self);
}

static int32_t dwk_set_threads(int32_t threads)
{
    (void)threads;
    return 1;
}

#endif

#endif
