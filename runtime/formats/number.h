/*
 * number.h - numbers as text, the same in every locale
 *
 * A host may have called setlocale, which changes what strtod and printf take for a decimal point;
 * a file has a point.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include "tensor/base.h"

enum { NUMBER_TEXT = 32 };

/* the number that `text` begins with, and *end behind it, as strtod and strtof */
double number_read(const char *text, char **end);
float number_read_float(const char *text, char **end);

/* text = x with the fewest digits, 15 to 17, or as a float32 6 to 9, that bring it back;
 * returns its length */
int number_write(double x, bool is_float32, char text[NUMBER_TEXT]);

#endif
