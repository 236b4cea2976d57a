/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/edit.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/xml.h"

char *
vgpu_edit_file(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("virt-vgpu-XXXXXX.xml", &path, error);

    if (fd < 0)
        return NULL;
    close(fd);
    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error)) {
        (void) !g_unlink(path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

static const char *
editor(void)
{
    const char *const names[] = { "VISUAL", "EDITOR" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);

        if (value && *value)
            return value;
    }
    return "vi";
}

char *
vgpu_edit_run(const char *path, GError **error)
{
    /* a shell takes the editor's own arguments apart, and only those */
    g_autofree char *script = g_strconcat(editor(), " \"$1\"", NULL);
    const char *const argv[] = { "sh", "-c", script, "sh", path, NULL };
    g_autoptr(GSubprocess) process =
        g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDIN_INHERIT, error);
    char *text = NULL;
    gsize len = 0;

    if (!process)
        return NULL;
    if (!g_subprocess_wait_check(process, NULL, error)) {
        g_prefix_error(error, "the editor '%s' failed: ", editor());
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &len, error))
        return NULL;
    if (len > VGPU_XML_MAX || !g_utf8_validate(text, (gssize) len, NULL)) {
        g_free(text);
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "%s is not XML in UTF-8", path);
        return NULL;
    }
    return text;
}

bool
vgpu_edit_ask(const char *question)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    do {
        fprintf(stderr, "%s [y/n] ", question);
        if (!fgets(answer, sizeof(answer), stdin))
            return false;
    } while (answer[0] != 'y' && answer[0] != 'n');
    return answer[0] == 'y';
}
