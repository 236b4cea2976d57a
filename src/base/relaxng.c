#include "base/relaxng.h"

#include <libxml/relaxng.h>
#include <libxml/xmlerror.h>

#include "base/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNG, xmlRelaxNGFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

#if LIBXML_VERSION >= 21200
typedef const xmlError CapturedError;
#else
typedef xmlError CapturedError;
#endif

typedef struct {
    char *text;
    long line;
} Capture;

/* The first message is the nearest to the mistake; what follows only repeats it further up. */
static void
on_error(void *opaque, CapturedError *err)
{
    Capture *capture = opaque;

    if (capture->text)
        return;
    capture->text = g_strstrip(g_strdup(err->message ? err->message : "not valid"));
    g_strdelimit(capture->text, "\n\r\t", ' ');
    capture->line = err->line;
}

static xmlRelaxNG *
load_schema(GResource *resource, const char *path)
{
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(resource, path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    Capture capture = { 0 };
    xmlRelaxNGParserCtxt *ctxt;
    xmlRelaxNG *schema;

    if (!bytes)
        g_error("%s is not built in", path);
    ctxt =
        xmlRelaxNGNewMemParserCtxt(g_bytes_get_data(bytes, NULL), (int) g_bytes_get_size(bytes));
    xmlRelaxNGSetParserStructuredErrors(ctxt, on_error, &capture);
    schema = xmlRelaxNGParse(ctxt);
    xmlRelaxNGFreeParserCtxt(ctxt);
    if (!schema)
        g_error("%s: line %ld: %s", path, capture.line, capture.text);
    g_free(capture.text);
    return schema;
}

bool
vgpu_relaxng_validate(GResource *resource, const char *path, xmlDoc *doc, const char *what,
                      GError **error)
{
    g_autoptr(xmlRelaxNG) schema = load_schema(resource, path);
    g_autoptr(xmlRelaxNGValidCtxt) ctxt = xmlRelaxNGNewValidCtxt(schema);
    Capture capture = { 0 };
    bool valid;

    xmlRelaxNGSetValidStructuredErrors(ctxt, on_error, &capture);
    valid = xmlRelaxNGValidateDoc(ctxt, doc) == 0;
    if (!valid)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "%s: line %ld: %s", what,
                    capture.line > 0 ? capture.line : xmlGetLineNo(xmlDocGetRootElement(doc)),
                    capture.text ? capture.text : "not valid");
    g_free(capture.text);
    return valid;
}
