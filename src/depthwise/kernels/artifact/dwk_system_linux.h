/* dwk_system_linux.h: sleep, waking and threads of Linux and Android, as dwk_system.h promises them.
 *
 * Artifacts are compiled without the headers of a C library, so what is called is declared here, under names of our
 * own. */
#ifndef DWK_SYSTEM_LINUX_H
#define DWK_SYSTEM_LINUX_H

#if defined(__x86_64__)
#define DWK_FUTEX 202
#define DWK_MADVISE 28
#elif defined(__arm__)
#define DWK_FUTEX 240
#define DWK_MADVISE 220
#else
#define DWK_FUTEX 98
#define DWK_MADVISE 233
#endif
/* The largest pages that a kernel may have. */
#if defined(__aarch64__)
#define DWK_PAGE 65536
#else
#define DWK_PAGE 4096
#endif
/* Of the kernel's interface: for words that no other process knows. */
#define DWK_FUTEX_WAIT 128
#define DWK_FUTEX_WAKE 129
/* For pages of which a forked process finds zeros. */
#define DWK_WIPE_ON_FORK 18

extern long dwk_syscall(long number, ...) __asm__("syscall");

/* Sleep while the four bytes at `word` are as given; of a number of eight bytes the lower ones lie there. */
static inline void dwk_sleep(void *word, uint32_t while_it_is)
{
    (void)dwk_syscall(DWK_FUTEX, word, DWK_FUTEX_WAIT, while_it_is, (void *)0, (void *)0, 0);
}

static inline void dwk_wake(void *word)
{
    (void)dwk_syscall(DWK_FUTEX, word, DWK_FUTEX_WAKE, INT32_MAX, (void *)0, (void *)0, 0);
}

#ifdef DWK_MAKES_THREADS

typedef unsigned long dwk_thread;

/* Weak, as a process may have no threads (a C library before glibc 2.34 without its libpthread); then there is one. */
extern int dwk_pthread_create(dwk_thread *thread, const void *attributes, void *(*start)(void *),
                              void *argument) __asm__("pthread_create") __attribute__((weak));
extern int dwk_pthread_join(dwk_thread thread, void **result) __asm__("pthread_join") __attribute__((weak));
extern int dwk_pthread_sigmask(int how, const void *set, void *old) __asm__("pthread_sigmask") __attribute__((weak));
extern int dwk_getpid(void) __asm__("getpid");

/* A set of signals, as C libraries have it: a bit for each. */
typedef union {
    unsigned long words[128 / sizeof(unsigned long)];
    uint8_t bytes[128];
} dwk_signals;

#define DWK_SET_SIGNALS 2 /* SIG_SETMASK */

static void *dwk_thread_main(void *number)
{
    dwk_work((int32_t)(intptr_t)number);
    return (void *)0;
}

/* Threads for workers 1 to `count` - 1; returns how many workers there are then, fewer where the system gives no more.
 * They take no signals: those are for the threads of whoever loaded the artifact. */
static int32_t dwk_begin_threads(dwk_thread *threads, int32_t count)
{
    dwk_signals all, before;
    for (int32_t i = 0; i < 128; i++) {
        all.bytes[i] = 255;
    }
    /* But for 32 to 34, which are the C library's own. */
    all.bytes[3] = 0x7f;
    all.bytes[4] = 0xfc;
    int32_t made = 1;
    if (dwk_pthread_create && dwk_pthread_join && dwk_pthread_sigmask) {
        (void)dwk_pthread_sigmask(DWK_SET_SIGNALS, &all, &before);
        while (made < count &&
               dwk_pthread_create(&threads[made], (void *)0, dwk_thread_main, (void *)(intptr_t)made) == 0) {
            made++;
        }
        (void)dwk_pthread_sigmask(DWK_SET_SIGNALS, &before, (void *)0);
    }
    return made;
}

static void dwk_join_thread(dwk_thread thread) { (void)dwk_pthread_join(thread, (void *)0); }

/* The number of the process, by which one that was forked knows that it is another. */
static int32_t dwk_process(void) { return dwk_getpid(); }

/* Let a forked process find zeros there, where the kernel can do that (Linux 4.14). */
static void dwk_wipe_on_fork(void *pages, unsigned long bytes)
{
    (void)dwk_syscall(DWK_MADVISE, pages, bytes, DWK_WIPE_ON_FORK);
}

/* A lock that a forked process could find taken is not used. */
static void dwk_forget_sleepers(void) {}

#endif

#endif
