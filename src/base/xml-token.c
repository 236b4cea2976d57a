/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml-token.h"

#include <string.h>

static bool
begins_with(const char *text, gsize len, const char *prefix)
{
    gsize n = strlen(prefix);

    return len >= n && memcmp(text, prefix, n) == 0;
}

/* The length of @text up to the end of @mark, searched for from @from on; 0 when it is not there. */
static gsize
through(const char *text, gsize len, gsize from, const char *mark)
{
    const char *found = len > from ? memmem(text + from, len - from, mark, strlen(mark)) : NULL;

    return found ? (gsize) (found - text) + strlen(mark) : 0;
}

static bool
is_declaration(const char *text, gsize len)
{
    return len > 5 && begins_with(text, len, "xmlns") &&
           (text[5] == ':' || text[5] == '=' || g_ascii_isspace(text[5]));
}

/* A '<' in a tag is refused wherever it is: libxml2 continues after a tag that it cannot read, and would
 * find another tag there. */
static bool
read_tag(VgpuXmlToken *self, const char *text, gsize len, const char **problem)
{
    char quote = '\0';

    for (gsize i = 1; i < len; i++) {
        if (text[i] == '<') {
            *problem = quote ? "'<' in the value of an attribute" : "'<' in a tag";
            return false;
        }
        if (quote) {
            if (text[i] == quote)
                quote = '\0';
        } else if (text[i] == '\'' || text[i] == '"') {
            quote = text[i];
            self->attributes++;
        } else if (text[i] == '>') {
            self->len = i + 1;
            self->kind = text[1] == '/'       ? VGPU_XML_TOKEN_END
                         : text[i - 1] == '/' ? VGPU_XML_TOKEN_EMPTY
                                              : VGPU_XML_TOKEN_START;
            return true;
        } else if (is_declaration(text + i, len - i) && strchr(" \t\r\n'\"", text[i - 1])) {
            self->namespaces++;
        }
    }
    *problem = "a tag without an end";
    return false;
}

static bool
read_comment(VgpuXmlToken *self, const char *text, gsize len, const char **problem)
{
    self->kind = VGPU_XML_TOKEN_COMMENT;
    self->len = through(text, len, strlen("<!--"), "--");
    if (self->len > 0 && self->len < len && text[self->len] == '>') {
        self->len++;
        return true;
    }
    *problem = self->len > 0 ? "'--' in a comment" : "a comment without an end";
    return false;
}

/* As in a tag, a '<' is refused. */
static bool
read_instruction(VgpuXmlToken *self, const char *text, gsize len, const char **problem)
{
    self->kind = VGPU_XML_TOKEN_INSTRUCTION;
    self->len = through(text, len, strlen("<?"), "?>");
    if (self->len > 0 && !memchr(text + 1, '<', self->len - 1))
        return true;
    *problem = self->len > 0 ? "'<' in a processing instruction"
                             : "a processing instruction without an end";
    return false;
}

static bool
read_cdata(VgpuXmlToken *self, const char *text, gsize len, const char **problem)
{
    self->kind = VGPU_XML_TOKEN_CDATA;
    self->len = through(text, len, strlen("<![CDATA["), "]]>");
    if (self->len > 0)
        return true;
    *problem = "a CDATA section without an end";
    return false;
}

/* What begins with '<'. */
static bool
read_markup(VgpuXmlToken *self, const char *text, gsize len, const char **problem)
{
    if (begins_with(text, len, "<!--"))
        return read_comment(self, text, len, problem);
    if (begins_with(text, len, "<![CDATA["))
        return read_cdata(self, text, len, problem);
    if (begins_with(text, len, "<?"))
        return read_instruction(self, text, len, problem);
    if (begins_with(text, len, "<!DOCTYPE")) {
        self->kind = VGPU_XML_TOKEN_DTD;
        self->len = strlen("<!DOCTYPE");
        return true;
    }
    if (begins_with(text, len, "<!")) {
        *problem = "'<!' that begins neither a comment nor a CDATA section";
        return false;
    }
    return read_tag(self, text, len, problem);
}

bool
vgpu_xml_token_next(const char *xml, gsize len, gsize *at, VgpuXmlToken *out,
                    const char **problem)
{
    VgpuXmlToken token = { .kind = VGPU_XML_TOKEN_TEXT, .text = xml + *at };
    gsize left = len - *at;
    const char *markup;

    if (left == 0)
        return false;
    markup = memchr(token.text, '<', left);
    if (markup == token.text) {
        if (!read_markup(&token, token.text, left, problem))
            return false;
    } else {
        token.len = markup ? (gsize) (markup - token.text) : left;
    }
    *at += token.len;
    *out = token;
    return true;
}

/* The name of a tag begins here. */
static gsize
name_at(const VgpuXmlToken *self)
{
    return self->kind == VGPU_XML_TOKEN_END ? 2 : 1;
}

bool
vgpu_xml_token_is(const VgpuXmlToken *self, const char *name)
{
    gsize at = name_at(self);
    gsize end = at + strlen(name);

    return self->kind >= VGPU_XML_TOKEN_START && self->len > end &&
           memcmp(self->text + at, name, strlen(name)) == 0 &&
           strchr(" \t\r\n/>", self->text[end]);
}

char *
vgpu_xml_token_attr(const VgpuXmlToken *self, const char *name)
{
    const char *end = self->text + self->len;
    const char *at = self->text + name_at(self);

    while (at < end && !strchr(" \t\r\n/>", *at))
        at++;
    for (;;) {
        const char *begin, *value, *close;
        gsize len;

        while (at < end && g_ascii_isspace(*at))
            at++;
        begin = at;
        while (at < end && !strchr(" \t\r\n='\"", *at))
            at++;
        len = (gsize) (at - begin);
        while (at < end && *at != '\'' && *at != '"')
            at++;
        if (at == end)
            return NULL;
        value = at + 1;
        close = memchr(value, *at, (gsize) (end - value));
        if (!close)
            return NULL;
        if (len == strlen(name) && memcmp(begin, name, len) == 0)
            return g_strndup(value, (gsize) (close - value));
        at = close + 1;
    }
}
