/*
 * portable.c - whether the bits of results may depend on the processor; see portable.h
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/portable.h"

static atomic_bool is_native;

void portable_forgo(void)
{
    atomic_store(&is_native, true);
}

static bool has_v3(void)
{
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    return __builtin_cpu_supports("x86-64-v3");
#else
    return false;
#endif
}

bool portable_products(void)
{
#if defined(__aarch64__)
    bool fuses = true;
#else
    bool fuses = has_v3();
#endif
    return fuses && !atomic_load_explicit(&is_native, memory_order_relaxed);
}

void *portable_sleef(void)
{
    return !has_v3() ? NULL : dlopen("libsleef.so.3", RTLD_LAZY | RTLD_LOCAL);
}

Reason portable_reason(void)
{
    const char *core = getenv("OPENBLAS_CORETYPE");
    if (!has_v3())
        return "the processor is not x86-64-v3 (AVX2 and FMA)";
    if (!portable_products())
        return "wrun was started with --native";
    if (!portable_sleef())
        return "needs libsleef.so.3 (Debian package libsleef3)";
    if (core && strcmp(core, PORTABLE_CORE) != 0)
        return "OPENBLAS_CORETYPE is not " PORTABLE_CORE;
    return NULL;
}
