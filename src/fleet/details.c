/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/details.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "base/error.h"
#include "fleet/json.h"
#include "fleet/store.h"

#define TEXT_MAX (8 * 1024 * 1024) /* what others have compressed may be of any length */

/* All of @data through @converter, @max bytes at most; NULL: more, or it cannot be converted. */
static GBytes *
convert(GConverter *converter, GBytes *data, gsize max)
{
    g_autoptr(GInputStream) source = g_memory_input_stream_new_from_bytes(data);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(source, converter);
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint8 chunk[4096];
    gssize n;

    while ((n = g_input_stream_read(stream, chunk, sizeof(chunk), NULL, NULL)) > 0) {
        if (out->len + (gsize) n > max)
            return NULL;
        g_byte_array_append(out, chunk, (guint) n);
    }
    return n == 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&out)) : NULL;
}

GBytes *
vgpu_details_encode(GVariant *state, GError **error)
{
    g_autoptr(GZlibCompressor) compressor =
        g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
    gsize len;
    char *text = json_gvariant_serialize_data(state, &len);
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, len);
    g_autoptr(GBytes) value = convert(G_CONVERTER(compressor), bytes, VGPU_STORE_VALUE_MAX);

    if (!value)
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                       "the details of this host have more than %d bytes", VGPU_STORE_VALUE_MAX);
    return g_steal_pointer(&value);
}

char *
vgpu_details_decode(GBytes *value)
{
    g_autoptr(GZlibDecompressor) decompressor =
        g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GBytes) bytes = convert(G_CONVERTER(decompressor), value, TEXT_MAX);
    g_autoptr(JsonParser) parser = json_parser_new();
    const char *text;
    gsize len;

    if (!bytes)
        return NULL;
    text = g_bytes_get_data(bytes, &len);
    return text && vgpu_json_parse(parser, text, len) ? g_strndup(text, len) : NULL;
}
