/* dwk_system_windows.h: sleep, waking and threads of Windows, as dwk_system.h promises them.
 *
 * Everybody who sleeps waits for one condition: whoever is woken looks at its own word again. Functions that wait at a
 * word came with Windows 8 and in a library of their own; these are in the one that every process has. What is called
 * is declared here, as artifacts are compiled without the headers of the system. */
#ifndef DWK_SYSTEM_WINDOWS_H
#define DWK_SYSTEM_WINDOWS_H

/* gcc says that it ignores the attribute of hidden names, which all are here that are not exported. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wattributes"
#endif

#define DWK_PAGE 4096
#define DWK_SYSTEM_CALL __declspec(dllimport)
#define DWK_FOREVER 0xffffffffu

DWK_SYSTEM_CALL void __stdcall AcquireSRWLockExclusive(void **lock);
DWK_SYSTEM_CALL void __stdcall ReleaseSRWLockExclusive(void **lock);
DWK_SYSTEM_CALL int __stdcall SleepConditionVariableSRW(void **condition, void **lock, uint32_t milliseconds,
                                                        uint32_t flags);
DWK_SYSTEM_CALL void __stdcall WakeAllConditionVariable(void **condition);

/* Of all files of an artifact together. */
extern void *dwk_lock, *dwk_woken;

/* Sleep while the four bytes at `word` are as given, perhaps for less; of a number of eight bytes the lower ones lie
 * there. */
static inline void dwk_sleep(void *word, uint32_t while_it_is)
{
    AcquireSRWLockExclusive(&dwk_lock);
    if (__atomic_load_n((uint32_t *)word, __ATOMIC_RELAXED) == while_it_is) {
        (void)SleepConditionVariableSRW(&dwk_woken, &dwk_lock, DWK_FOREVER, 0);
    }
    ReleaseSRWLockExclusive(&dwk_lock);
}

/* The word has changed. Whoever found it unchanged sleeps before the lock is given here. */
static inline void dwk_wake(void *word)
{
    (void)word;
    AcquireSRWLockExclusive(&dwk_lock);
    ReleaseSRWLockExclusive(&dwk_lock);
    WakeAllConditionVariable(&dwk_woken);
}

#ifdef DWK_MAKES_THREADS

/* The bytes of a thread's stack, which are then not those that the program asks for its own threads. */
#define DWK_STACK (512u << 10)
#define DWK_STACK_IS_SO_LARGE 0x10000u
#define DWK_BY_ADDRESS 4u

typedef void *dwk_thread;

DWK_SYSTEM_CALL void *__stdcall CreateThread(void *security, uint64_t stack, uint32_t(__stdcall *start)(void *),
                                             void *argument, uint32_t flags, uint32_t *number);
DWK_SYSTEM_CALL uint32_t __stdcall WaitForSingleObject(void *thread, uint32_t milliseconds);
DWK_SYSTEM_CALL int __stdcall CloseHandle(void *thread);
DWK_SYSTEM_CALL int __stdcall GetModuleHandleExW(uint32_t flags, const void *address, void **library);
DWK_SYSTEM_CALL int __stdcall FreeLibrary(void *library);
DWK_SYSTEM_CALL void __stdcall FreeLibraryAndExitThread(void *library, uint32_t code);

void *dwk_lock, *dwk_woken;
/* This library, of which each thread holds a share. It stays in memory as long as there are threads: nobody may wait
 * for their end while the system unloads it. */
static void *dwk_library;

static uint32_t __stdcall dwk_thread_main(void *number)
{
    dwk_work((int32_t)(intptr_t)number);
    FreeLibraryAndExitThread(dwk_library, 0);
    return 0;
}

/* Threads for workers 1 to `count` - 1; returns how many workers there are then, fewer where the system gives no
 * more. */
static int32_t dwk_begin_threads(dwk_thread *threads, int32_t count)
{
    int32_t made = 1;
    while (made < count && GetModuleHandleExW(DWK_BY_ADDRESS, (const void *)&dwk_library, &dwk_library)) {
        threads[made] = CreateThread((void *)0, DWK_STACK, dwk_thread_main, (void *)(intptr_t)made,
                                     DWK_STACK_IS_SO_LARGE, (void *)0);
        if (!threads[made]) {
            (void)FreeLibrary(dwk_library);
            break;
        }
        made++;
    }
    return made;
}

static void dwk_join_thread(dwk_thread thread)
{
    (void)WaitForSingleObject(thread, DWK_FOREVER);
    (void)CloseHandle(thread);
}

/* Processes are not forked here: there is one. */
static int32_t dwk_process(void) { return 1; }

static void dwk_wipe_on_fork(void *pages, unsigned long bytes) { (void)pages, (void)bytes; }

/* A lock that a forked process could find taken is not used. */
static void dwk_forget_sleepers(void) {}

#endif

#endif
