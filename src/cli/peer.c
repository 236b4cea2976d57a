/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/peer.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/exit.h"
#include "cli/patience.h"
#include "cli/ssh-uri.h"

/* Its libvirt may not be the default of the user there. */
#define COMMAND "virt-vgpu explain --xml - --host --json --connect qemu:///system"

#define BRACKETS_MAX 2000 /* of an answer, which has one for each of its GPUs and vGPUs */

/* A shell's exit statuses for a command that it cannot run, and ssh's own. */
#define NOT_EXECUTABLE 126
#define NOT_FOUND 127
#define SSH_FAILED 255

void
vgpu_peer_plan_free(VgpuPeerPlan *self)
{
    g_free(self->profile);
    g_free(self->gpu);
    g_free(self);
}

void
vgpu_peer_free(VgpuPeer *self)
{
    g_clear_pointer(&self->host, vgpu_migration_host_free);
    g_free(self->silence_reason);
    g_free(self->no_room);
    g_ptr_array_unref(self->plan);
    g_free(self);
}

static VgpuPeer *
peer_new(void)
{
    VgpuPeer *self = g_new0(VgpuPeer, 1);

    self->silence = VGPU_MIGRATION_UNKNOWN;
    self->plan = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_peer_plan_free);
    return self;
}

/* --- the answer ------------------------------------------------------------------------------ */

static JsonNode *
member(JsonObject *object, const char *name, JsonNodeType type)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_node_type(node) == type ? node : NULL;
}

static void
read_plan(VgpuPeer *self, JsonObject *object)
{
    JsonNode *node = member(object, "plan", JSON_NODE_ARRAY);
    JsonArray *rows = node ? json_node_get_array(node) : NULL;

    for (guint i = 0; rows && i < json_array_get_length(rows); i++) {
        JsonNode *row = json_array_get_element(rows, i);
        JsonNode *index;
        VgpuPeerPlan *plan;

        if (!JSON_NODE_HOLDS_OBJECT(row) ||
            !(index = member(json_node_get_object(row), "index", JSON_NODE_VALUE)))
            continue;
        plan = g_new0(VgpuPeerPlan, 1);
        plan->index = (guint) json_node_get_int(index);
        plan->profile = vgpu_migration_host_text(json_node_get_object(row), "profile");
        plan->gpu = vgpu_migration_host_text(json_node_get_object(row), "gpu");
        g_ptr_array_add(self->plan, plan);
    }
}

/* An explanation, see cmd-domain.c; false: it is none. */
static bool
read_explanation(VgpuPeer *self, int status, JsonObject *object)
{
    JsonNode *possible = member(object, "possible", JSON_NODE_VALUE);
    JsonNode *host = member(object, "host", JSON_NODE_OBJECT);

    if (!possible || !host || json_node_get_value_type(possible) != G_TYPE_BOOLEAN)
        return false;
    self->host = vgpu_migration_host_parse(json_node_get_object(host));
    self->room = json_node_get_boolean(possible) ? VGPU_TRUTH_YES
                 : status == VGPU_EXIT_UNKNOWN   ? VGPU_TRUTH_UNKNOWN
                                                 : VGPU_TRUTH_NO;
    self->no_room = vgpu_migration_host_text(object, "reason");
    read_plan(self, object);
    return true;
}

/* The last line of @text: ssh prints banners and warnings before. */
static char *
last_line(const char *text)
{
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    const char *newline = strrchr(stripped, '\n');

    return vgpu_migration_host_shown(newline ? newline + 1 : stripped);
}

static void
take_silence(VgpuPeer *self, VgpuMigrationStatus status, char *reason)
{
    self->silence = status;
    self->silence_reason = reason;
}

/* Whether the error of the other virt-vgpu would also be that of the migration. */
static bool
is_final(int status)
{
    return status == VGPU_EXIT_FAILED || status == VGPU_EXIT_NOT_FOUND ||
           status == VGPU_EXIT_UNREACHABLE;
}

static void
explain_silence(VgpuPeer *self, int status, JsonObject *failure, const char *err)
{
    g_autofree char *line = last_line(err);
    g_autofree char *said = failure ? vgpu_migration_host_text(failure, "detail") : NULL;
    const char *detail = said ? said : *line ? line : "it printed nothing";

    if (status == NOT_FOUND || status == NOT_EXECUTABLE)
        take_silence(self, VGPU_MIGRATION_FAILED,
                     g_strdup("virt-vgpu is not installed there: no vGPU would be made"));
    else if (status == SSH_FAILED)
        take_silence(
            self, VGPU_MIGRATION_UNKNOWN,
            g_strdup_printf("ssh failed: %s; log in there once as this user, or load the "
                            "key into an agent",
                            detail));
    else if (status == VGPU_EXIT_USAGE)
        take_silence(self, VGPU_MIGRATION_UNKNOWN,
                     g_strdup_printf("its virt-vgpu is too old to be asked: %s", detail));
    else if (failure && is_final(status))
        take_silence(self, VGPU_MIGRATION_FAILED, g_strdup_printf("it says: %s", detail));
    else
        take_silence(self, VGPU_MIGRATION_UNKNOWN, g_strdup_printf("no answer: %s", detail));
}

/* json-glib (1.6) calls itself for each level, so levels without end would end this program. Brackets in texts
 * count too: where a text ends is for json-glib to decide. NULL: not JSON. */
static JsonNode *
parse(const char *text)
{
    guint brackets = 0;

    for (const char *c = text; *c; c++)
        brackets += *c == '[' || *c == '{';
    return brackets <= BRACKETS_MAX ? json_from_string(text, NULL) : NULL;
}

VgpuPeer *
vgpu_peer_read(int status, const char *out, const char *err)
{
    VgpuPeer *self = peer_new();
    g_autoptr(JsonNode) root = parse(out);
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;

    if (!object || !read_explanation(self, status, object))
        explain_silence(self, status, object, err);
    return self;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* As a file, since ssh may end before it has read everything. */
static int
open_input(const char *xml, GError **error)
{
    gsize len = strlen(xml);
    int fd = memfd_create("domain", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, xml, len) == (gssize) len && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot pass the domain on");
    if (fd >= 0)
        close(fd);
    return -1;
}

static char *
text_from(GBytes *bytes)
{
    gsize len = 0;
    const char *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;

    return g_utf8_make_valid(data ? data : "", (gssize) len);
}

static VgpuPeer *
run(char **words, int input, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GSubprocess) ssh = NULL;
    g_autoptr(GBytes) out = NULL, err = NULL;
    g_autofree char *answer = NULL, *complaint = NULL;

    g_subprocess_launcher_take_stdin_fd(launcher, input);
    ssh = g_subprocess_launcher_spawnv(launcher, (const char *const *) words, error);
    if (!ssh || !g_subprocess_communicate(ssh, NULL, NULL, &out, &err, error))
        return NULL;
    answer = text_from(out);
    complaint = text_from(err);
    return vgpu_peer_read(g_subprocess_get_if_exited(ssh) ? g_subprocess_get_exit_status(ssh)
                                                          : -1,
                          answer, complaint);
}

VgpuPeer *
vgpu_peer_ask(const char *uri, const char *xml, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) words = vgpu_ssh_uri_words(uri, COMMAND, &failure);
    g_autofree char *doing = g_strdup_printf("Asking %s", uri);
    g_autoptr(VgpuPatience) patience = NULL;
    int input;

    if (!words && g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED)) {
        VgpuPeer *silent = peer_new();

        silent->silence_reason =
            g_strdup_printf("%s, so it cannot be asked: its hook decides when the domain arrives",
                            failure->message);
        return silent;
    }
    if (!words) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if ((input = open_input(xml, error)) < 0)
        return NULL;
    patience = vgpu_patience_new(doing);
    return run(words, input, error);
}
