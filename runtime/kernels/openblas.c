/*
 * openblas.c - loads OpenBLAS; see openblas.h
 *
 * When it is loaded, OpenBLAS starts a thread for each other processor, and waits for ever where one
 * gets no memory, or ends the process where one may not be had. wrun has threads of its own, so it
 * loads OpenBLAS in a thread that may use one processor.
 */
#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/openblas.h"
#include "kernels/portable.h"

/* restricts the calling thread to one of the processors it may use; false where it cannot */
static bool show_one_processor(cpu_set_t *before)
{
    if (sched_getaffinity(0, sizeof *before, before) != 0)
        return false;
    cpu_set_t one;
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, before))
            CPU_SET(i, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

static void *open_library(void)
{
    cpu_set_t processors;
    bool is_restricted = show_one_processor(&processors);
    bool is_chosen =
        portable_reason() == NULL && setenv("OPENBLAS_CORETYPE", PORTABLE_CORE, 0) == 0;
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (is_chosen)
        unsetenv("OPENBLAS_CORETYPE");
    if (is_restricted)
        sched_setaffinity(0, sizeof processors, &processors);
    return library;
}

Reason openblas_load(OpenBlas *blas)
{
    void *library = open_library();
    if (!library) {
        const char *reason = dlerror();
        return strstr(reason, "No such file") != NULL
                   ? "needs libopenblas.so.0 (Debian package libopenblas0-pthread)"
                   : reason;
    }
#define FIND(name)                                                                                 \
    void *name##_address = dlsym(library, #name);                                                  \
    if (!name##_address)                                                                           \
        return "the OpenBLAS found has no " #name;                                                 \
    memcpy(&blas->name, &name##_address, sizeof name##_address);
    OPENBLAS_ROUTINES(FIND)
#define ROW(name, parameters) FIND(s##name##_) FIND(d##name##_)
    LAPACK_ROUTINES(ROW)
#undef ROW
#undef FIND
    if (blas->openblas_get_parallel() == 0)
        return "the OpenBLAS found is the serial build, which several threads must not call; "
               "install libopenblas0-pthread";
    blas->openblas_set_num_threads(1);
    return NULL;
}
