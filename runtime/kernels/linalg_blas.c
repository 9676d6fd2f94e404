/*
 * linalg_blas.c - OpenBLAS, loaded when something is first computed with it; see linalg_blas.h
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "kernels/linalg_blas.h"

/* of the process, as the library is */
static struct {
    once_flag once;
    Reason refusal;
    Blas functions;
} openblas = {.once = ONCE_FLAG_INIT};

const Blas *const blas = &openblas.functions;

/*
 * When it is loaded, OpenBLAS starts a thread for each other processor, and waits for ever where one
 * gets no memory, or ends the process where one may not be had; but not where it is told to use one.
 */
static void *open_on_one_thread(void)
{
    static const char variable[] = "OPENBLAS_NUM_THREADS";
    char *wanted = getenv(variable) ? strdup(getenv(variable)) : NULL;
    setenv(variable, "1", 1);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (wanted)
        setenv(variable, wanted, 1);
    else
        unsetenv(variable);
    free(wanted);
    return library;
}

static void load(void)
{
    void *library = open_on_one_thread();
    openblas.refusal = "OpenBLAS (libopenblas.so.0) cannot be loaded";
    if (!library)
        return;
    bool complete = true;
#define LOAD(name)                                                                                 \
    *(void **)&openblas.functions.name = dlsym(library, #name);                                    \
    complete &= blas->name != NULL;
    BLAS_FUNCTIONS(LOAD)
#define ROW(name, parameters)                                                                      \
    LOAD(s##name##_)                                                                               \
    LOAD(d##name##_)
    LAPACK_ROUTINES(ROW)
    if (!complete)
        return;
    openblas.refusal = NULL;
    if (blas->openblas_get_parallel() == 0)
        openblas.refusal =
            "the OpenBLAS found is the serial build, which several threads must not call; "
            "install libopenblas0-pthread";
    blas->openblas_set_num_threads(1);
}

Reason blas_load(void)
{
    call_once(&openblas.once, load);
    return openblas.refusal;
}
