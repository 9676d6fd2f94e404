/*
 * number.c - numbers as text, the same in every locale; see number.h
 *
 * The locale "C" is a constant of the C library: newlocale takes no memory for it.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/number.h"

double number_read(const char *text, char **end)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double x = strtod_l(text, end, plain);
    freelocale(plain);
    return x;
}

float number_read_float(const char *text, char **end)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    float x = strtof_l(text, end, plain);
    freelocale(plain);
    return x;
}

int number_write(double x, bool is_float32, char text[NUMBER_TEXT])
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
    int digits = is_float32 ? 6 : 15, most = is_float32 ? 9 : 17, length;

    for (;; digits++) {
        length = snprintf(text, NUMBER_TEXT, "%.*g", digits, x);
        if (digits == most ||
            (is_float32 ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x))
            break;
    }
    uselocale(before);
    freelocale(plain);
    return length;
}
