/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

#include <string.h>

#define END 255
#define ROW 4 /* a byte below this begins a row */

static guint8
byte(const guint8 **data, gsize *size)
{
    guint8 value = 0;

    if (*size) {
        value = **data;
        (*data)++;
        (*size)--;
    }
    return value;
}

static GVariant *
text(const guint8 **data, gsize *size)
{
    guint8 said = byte(data, size);
    gsize len = MIN(said, *size);
    g_autofree char *valid = fuzz_utf8(*data, len);

    *data += len;
    *size -= len;
    return g_variant_new_string(valid);
}

static guint64
number(const guint8 **data, gsize *size)
{
    guint64 value = 0;

    for (guint n = byte(data, size) % 9; n > 0; n--)
        value = value << 8 | byte(data, size);
    return value;
}

static GVariant *
texts(const guint8 **data, gsize *size)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("as"));
    for (guint n = byte(data, size) % 4; n > 0; n--)
        g_variant_builder_add_value(&builder, text(data, size));
    return g_variant_builder_end(&builder);
}

static GVariant *
numbers(const guint8 **data, gsize *size)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("au"));
    for (guint n = byte(data, size) % 4; n > 0; n--)
        g_variant_builder_add(&builder, "u", (guint32) number(data, size));
    return g_variant_builder_end(&builder);
}

static GVariant *make_rows(const guint8 **data, gsize *size, const char *const *keys,
                           guint depth);

static GVariant *
value(const guint8 **data, gsize *size, const char *const *keys, guint depth)
{
    gdouble d;
    guint64 bits;

    switch (byte(data, size) % 10) {
    case 0:
    case 1:
        return text(data, size);
    case 2:
        return g_variant_new_uint32((guint32) number(data, size));
    case 3:
        return g_variant_new_boolean(byte(data, size) & 1);
    case 4:
        return g_variant_new_uint64(number(data, size));
    case 5:
        return g_variant_new_int32((gint32) (guint32) number(data, size));
    case 6:
        bits = number(data, size);
        memcpy(&d, &bits, sizeof(d));
        return g_variant_new_double(d);
    case 7:
        return texts(data, size);
    case 8:
        return numbers(data, size);
    default:
        return depth < 2 ? make_rows(data, size, keys, depth + 1) : texts(data, size);
    }
}

static GVariant *
make_rows(const guint8 **data, gsize *size, const char *const *keys, guint depth)
{
    guint n = g_strv_length((char **) keys);
    GVariantBuilder rows;
    bool open = false;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    while (*size) {
        guint8 what = byte(data, size);

        if (what == END)
            break;
        if (what < ROW && open) {
            g_variant_builder_close(&rows);
            open = false;
        }
        if (!open) {
            g_variant_builder_open(&rows, G_VARIANT_TYPE("a{sv}"));
            open = true;
        }
        if (what >= ROW)
            g_variant_builder_add(&rows, "{sv}", keys[(what - ROW) % n],
                                  value(data, size, keys, depth));
    }
    if (open)
        g_variant_builder_close(&rows);
    return g_variant_builder_end(&rows);
}

GVariant *
fuzz_rows(const guint8 **data, gsize *size, const char *const *keys)
{
    return g_variant_ref_sink(make_rows(data, size, keys, 0));
}
