/* dwk_threads.h: the threads of an artifact. They belong to the process that asked for them (dw_set_threads), wait for
 * the next call, awake for a moment and then asleep, and end when there are to be fewer or the library is unloaded.
 *
 * One call at a time has them; a second one at the same time runs alone, in its own arena. */
#ifndef DWK_THREADS_H
#define DWK_THREADS_H

#include "dwk_team.h"

#if DWK_HAS_THREADS

/* Weak, as a process may have no threads (a C library before glibc 2.34 without its libpthread); then there is one. */
extern int dwk_pthread_create(unsigned long *thread, const void *attributes, void *(*start)(void *), void *argument)
    __asm__("pthread_create") __attribute__((weak));
extern int dwk_pthread_join(unsigned long thread, void **result) __asm__("pthread_join") __attribute__((weak));
extern int dwk_pthread_sigmask(int how, const void *set, void *old) __asm__("pthread_sigmask") __attribute__((weak));
extern int dwk_getpid(void) __asm__("getpid");

/* Words of a set of signals, as C libraries have it; SIG_SETMASK. */
#define DWK_SIGNAL_WORDS 16
#define DWK_SET_SIGNALS 2

dwk_flag dwk_flags[DWL_THREADS];

static struct {
    _Atomic uint32_t taken; /* 0: nobody has the team; 1: a call or a change; 2: the same, and others may wait */
    _Atomic int32_t count;  /* of its workers, the caller included */
    uint32_t round;         /* how often they have met */
    int32_t ends;           /* whether they are to end */
    unsigned long threads[DWL_THREADS];
    /* The call. */
    dwk_network *network;
    const uint8_t *pixels;
    uint8_t *arena;
} dwk_team = {.count = 1};

/* Whose the team is: the number of the process, negative while that process makes it its own, 0 before. On a page for
 * itself that is zeros in a forked process where the kernel can do that (Linux 4.14): by their numbers alone two
 * processes are not told apart of which each is the first of its namespace. */
static union {
    _Alignas(DWK_PAGE) _Atomic int32_t process;
    uint8_t page[DWK_PAGE];
} dwk_owner;

static void *dwk_work(void *index)
{
    dwk_worker self = {.index = (int32_t)(intptr_t)index};
    for (;;) {
        dwk_await(&dwk_flags[0], ++self.round);
        if (dwk_team.ends) {
            return (void *)0;
        }
        self.count = atomic_load_explicit(&dwk_team.count, memory_order_relaxed);
        dwk_team.network(dwk_team.pixels, dwk_team.arena, &self);
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

/* Run a network with the team where there is one and it is free, else alone. */
static void dwk_together(dwk_network *network, const uint8_t *pixels, uint8_t *arena)
{
    dwk_worker self = {.count = 1};
    /* A process that was forked has none of its parent's threads. */
    if (atomic_load_explicit(&dwk_team.count, memory_order_relaxed) == 1 ||
        atomic_load(&dwk_owner.process) != dwk_getpid() || !dwk_take_if_free()) {
        network(pixels, arena, &self);
        return;
    }
    self.count = atomic_load_explicit(&dwk_team.count, memory_order_relaxed);
    self.round = dwk_team.round + 1;
    dwk_team.network = network;
    dwk_team.pixels = pixels;
    dwk_team.arena = arena;
    dwk_come(&dwk_flags[0], self.round);
    network(pixels, arena, &self);
    dwk_team.round = self.round;
    dwk_give_back();
}

/* Threads for workers 1 to `count` - 1; fewer where the system gives no more. They take no signals: those are for the
 * threads of whoever loaded the artifact. */
static void dwk_start(int32_t count)
{
    for (int32_t i = 0; i < DWL_THREADS; i++) {
        atomic_store(&dwk_flags[i].round, 0);
        atomic_store(&dwk_flags[i].sleepers, 0);
    }
    dwk_team.round = 0;
    dwk_team.ends = 0;
    unsigned long all[DWK_SIGNAL_WORDS], before[DWK_SIGNAL_WORDS];
    for (int32_t i = 0; i < DWK_SIGNAL_WORDS; i++) {
        all[i] = ~0ul;
    }
    /* But for 32 to 34, which are the C library's own. */
    all[0] = ~(7ul << 31);
    int32_t made = 1;
    if (dwk_pthread_create && dwk_pthread_join && dwk_pthread_sigmask) {
        (void)dwk_pthread_sigmask(DWK_SET_SIGNALS, all, before);
        while (made < count &&
               dwk_pthread_create(&dwk_team.threads[made], (void *)0, dwk_work, (void *)(intptr_t)made) == 0) {
            made++;
        }
        (void)dwk_pthread_sigmask(DWK_SET_SIGNALS, before, (void *)0);
    }
    atomic_store(&dwk_team.count, made);
}

static void dwk_end(void)
{
    const int32_t count = atomic_exchange(&dwk_team.count, 1);
    dwk_team.ends = 1;
    dwk_come(&dwk_flags[0], dwk_team.round + 1);
    for (int32_t i = 1; i < count; i++) {
        (void)dwk_pthread_join(dwk_team.threads[i], (void *)0);
    }
}

/* Make the team this process's own: it may be that of the parent from which it was forked, or nobody's. */
static void dwk_adopt(int32_t process)
{
    (void)dwk_syscall(DWK_MADVISE, &dwk_owner, sizeof dwk_owner, DWK_WIPE_ON_FORK);
    int32_t owner = atomic_load(&dwk_owner.process);
    while (owner != process) {
        if (owner != -process && atomic_compare_exchange_strong(&dwk_owner.process, &owner, -process)) {
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
    dwk_adopt(dwk_getpid());
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

/* When the library is unloaded or the process ends: a thread that still waits would go on in memory that is gone. */
__attribute__((destructor)) static void dwk_unload(void)
{
    if (atomic_load(&dwk_owner.process) == dwk_getpid() && dwk_take_if_free()) {
        dwk_end();
        dwk_give_back();
    }
}

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
