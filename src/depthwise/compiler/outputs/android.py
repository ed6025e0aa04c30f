"""What a library for Android needs: the name of the C library, in which the loader is to look for functions."""

from __future__ import annotations

# The loader of Android looks for a function in the libraries that a library names, and nowhere else. This one is linked
# against, and stays behind: the device has the real one.
C_LIBRARY = """void getauxval(void) {}
void getpid(void) {}
void memcpy(void) {}
void memmove(void) {}
void memset(void) {}
void pthread_create(void) {}
void pthread_join(void) {}
void pthread_sigmask(void) {}
void syscall(void) {}
"""
