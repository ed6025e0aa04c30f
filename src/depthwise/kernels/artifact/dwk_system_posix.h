/* dwk_system_posix.h: sleep, waking and threads of macOS and iOS, as dwk_system.h promises them; by functions of POSIX
 * alone, since Apple's own for waiting at a word are no part of its interface before macOS 14.4.
 *
 * Everybody who sleeps waits for one condition: whoever is woken looks at its own word again. */
#ifndef DWK_SYSTEM_POSIX_H
#define DWK_SYSTEM_POSIX_H

#include <pthread.h>

#define DWK_PAGE 16384

/* Of all files of an artifact together. */
extern pthread_mutex_t dwk_lock __attribute__((visibility("hidden")));
extern pthread_cond_t dwk_woken __attribute__((visibility("hidden")));

/* Sleep while the four bytes at `word` are as given, perhaps for less; of a number of eight bytes the lower ones lie
 * there. */
static inline void dwk_sleep(void *word, uint32_t while_it_is)
{
    (void)pthread_mutex_lock(&dwk_lock);
    if (__atomic_load_n((uint32_t *)word, __ATOMIC_RELAXED) == while_it_is) {
        (void)pthread_cond_wait(&dwk_woken, &dwk_lock);
    }
    (void)pthread_mutex_unlock(&dwk_lock);
}

/* The word has changed. Whoever found it unchanged sleeps before the lock is given here. */
static inline void dwk_wake(void *word)
{
    (void)word;
    (void)pthread_mutex_lock(&dwk_lock);
    (void)pthread_mutex_unlock(&dwk_lock);
    (void)pthread_cond_broadcast(&dwk_woken);
}

#ifdef DWK_MAKES_THREADS

#include <signal.h>
#include <unistd.h>

typedef pthread_t dwk_thread;

pthread_mutex_t dwk_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t dwk_woken = PTHREAD_COND_INITIALIZER;

static void *dwk_thread_main(void *number)
{
    dwk_work((int32_t)(intptr_t)number);
    return (void *)0;
}

/* Threads for workers 1 to `count` - 1; returns how many workers there are then, fewer where the system gives no more.
 * They take no signals: those are for the threads of whoever loaded the artifact. */
static int32_t dwk_begin_threads(dwk_thread *threads, int32_t count)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int32_t made = 1;
    while (made < count && pthread_create(&threads[made], (void *)0, dwk_thread_main, (void *)(intptr_t)made) == 0) {
        made++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, (void *)0);
    return made;
}

static void dwk_join_thread(dwk_thread thread) { (void)pthread_join(thread, (void *)0); }

/* The number of the process, by which one that was forked knows that it is another. */
static int32_t dwk_process(void) { return getpid(); }

/* By its number a forked process is told from its parent here. */
static void dwk_wipe_on_fork(void *pages, unsigned long bytes) { (void)pages, (void)bytes; }

/* The lock and the condition of a process that was forked while a thread of its parent held them: nobody gives them
 * back. */
static void dwk_forget_sleepers(void)
{
    dwk_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    dwk_woken = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
}

#endif

#endif
