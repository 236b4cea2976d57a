/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/xml-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/xml.h"

char *
vgpu_xml_file_read(const char *path, gsize *len, GError **error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : g_open(path, O_RDONLY | O_CLOEXEC, 0);
    g_autofree char *data = g_malloc(VGPU_XML_MAX + 2);
    gsize used = 0;
    ssize_t n = -1;

    if (fd >= 0) {
        do {
            n = read(fd, data + used, VGPU_XML_MAX + 1 - used);
            used += n > 0 ? (gsize) n : 0;
        } while (n > 0 || (n < 0 && errno == EINTR));
    }
    if (n < 0)
        vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "%s", path);
    if (fd >= 0 && !is_stdin)
        close(fd);
    if (n < 0)
        return NULL;
    if (memchr(data, '\0', used)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "%s: this is not XML: it has a NUL byte", path);
        return NULL;
    }
    data[used] = '\0';
    *len = used;
    return g_steal_pointer(&data);
}

const char *
vgpu_xml_file_source(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}
