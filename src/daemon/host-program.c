/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/host-program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/exit.h"
#include "base/log.h"
#include "daemon/sandbox.h"

#define OUTPUT_MAX (4 * 1024 * 1024)

/* The running children that may be killed. */
static struct {
    GMutex lock;
    GPtrArray *children; /* of GSubprocess, borrowed; NULL: there was none yet */
    bool is_over;        /* no program starts any more */
} running;

/* systemd gives each service it starts such an id (systemd.exec(5)). */
bool
vgpu_host_program_can_be_apart(void)
{
    return g_getenv("INVOCATION_ID") && g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR);
}

static const char *
name_of(const VgpuHostProgram *self)
{
    return self->name ? self->name : "virt-vgpu-host";
}

/* Files in memory, not pipes: a child that is left behind must not be killed by SIGPIPE, halfway through
 * its work, when it writes its result. */
static int
make_file(const char *text, GError **error)
{
    int fd = memfd_create("virt-vgpu", MFD_CLOEXEC);
    gsize len = strlen(text);

    if (fd >= 0 && write(fd, text, len) == (ssize_t) len && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot make a file in memory");
    if (fd >= 0)
        close(fd);
    return -1;
}

static char *
read_file(int fd)
{
    struct stat st;
    gsize len = fstat(fd, &st) == 0 ? (gsize) MIN(st.st_size, OUTPUT_MAX) : 0;
    g_autofree char *text = g_malloc0(len + 1);

    return pread(fd, text, len, 0) == (ssize_t) len ? g_steal_pointer(&text) : g_strdup("");
}

typedef struct {
    bool is_late;
    bool is_over; /* the wait, whether or not the child is */
} Wait;

static gboolean
on_late(gpointer opaque)
{
    Wait *wait = opaque;

    wait->is_late = true;
    return G_SOURCE_REMOVE;
}

static void
on_wait_over(GObject *child, GAsyncResult *result, gpointer opaque)
{
    Wait *wait = opaque;

    wait->is_over = true;
    if (g_subprocess_wait_finish(G_SUBPROCESS(child), result, NULL))
        wait->is_late = false;
}

/* Whether the child has ended within that time. */
static bool
wait_for(GSubprocess *child, guint timeout_ms)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) timer = g_timeout_source_new(timeout_ms);
    g_autoptr(GCancellable) enough = g_cancellable_new();
    Wait wait = { 0 };

    g_main_context_push_thread_default(context);
    g_source_set_callback(timer, on_late, &wait, NULL);
    g_source_attach(timer, context);
    g_subprocess_wait_async(child, enough, on_wait_over, &wait);
    while (!wait.is_over) {
        if (wait.is_late)
            g_cancellable_cancel(enough);
        g_main_context_iteration(context, TRUE);
    }
    g_source_destroy(timer);
    g_main_context_pop_thread_default(context);
    return !wait.is_late;
}

/* The lines that say something; the last one is why it failed, if it did. */
static GPtrArray *
read_complaints(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *complaints = g_ptr_array_new_with_free_func(g_free);

    for (char **line = lines; *line; line++) {
        if (*g_strstrip(*line))
            g_ptr_array_add(complaints, g_utf8_make_valid(*line, -1));
    }
    return complaints;
}

static void
log_complaints(const char *name, const char *verb, const GPtrArray *complaints, guint n)
{
    for (guint i = 0; i < n; i++)
        g_message("%s %s: %s", name, verb, (const char *) complaints->pdata[i]);
}

GVariant *
vgpu_host_program_parse(const GVariantType *type, const char *text, GError **error)
{
    g_autoptr(GError) failure = NULL;
    GVariant *result = NULL;

    if (g_utf8_validate(text, -1, NULL)) /* the parser takes nothing else */
        result = g_variant_parse(type, text, NULL, NULL, &failure);
    if (!result)
        (void) vgpu_error_set(error, VGPU_ERROR_FAILED, "%s",
                              failure ? failure->message : "it is not UTF-8");
    return result;
}

/* Translate the exit of the child. */
static GVariant *
outcome(const VgpuHostProgram *self, GSubprocess *child, const char *verb,
        const GVariantType *type, const char *output, const char *stderr_text, GError **error)
{
    g_autoptr(GPtrArray) complaints = read_complaints(stderr_text);
    const char *name = name_of(self);
    GVariant *result;

    if (g_subprocess_get_if_signaled(child)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DRIVER, "%s %s was killed by signal %d: %s",
                    name, verb, g_subprocess_get_term_sig(child),
                    g_strsignal(g_subprocess_get_term_sig(child)));
        return NULL;
    }
    if (g_subprocess_get_exit_status(child) != 0) {
        int status = g_subprocess_get_exit_status(child);

        if (complaints->len) {
            log_complaints(name, verb, complaints, complaints->len - 1);
            g_set_error_literal(error, VGPU_ERROR, (int) vgpu_exit_code(status),
                                complaints->pdata[complaints->len - 1]);
        } else {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                        "%s %s failed without a reason (exit status %d)", name, verb, status);
        }
        return NULL;
    }
    log_complaints(name, verb, complaints, complaints->len);
    if (!type)
        return g_variant_ref_sink(g_variant_new_tuple(NULL, 0));
    result = vgpu_host_program_parse(type, output, error);
    if (!result)
        g_prefix_error(error, "cannot parse the output of '%s %s': ", name, verb);
    return result;
}

/* systemd-run(1) hands the three files on, waits, and ends as the program did. The daemon's own unit may
 * not open the vendor's devices, load modules or write to /etc, which makes it safer. */
static void
add_unit(GPtrArray *argv, const VgpuHostProgram *self, guint limit_s)
{
    static const char bare[] = "--setenv=" VGPU_LOG_BARE "=1";
    static const char *const words[] = {
        "systemd-run",
        "--quiet",
        "--collect",
        "--pipe",
        "--wait",
        "--service-type=exec",
        "--property=LogLevelMax=notice", /* else five lines each time */
        bare,
    };
    const char *const *properties = vgpu_sandbox_properties(name_of(self));

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        g_ptr_array_add(argv, g_strdup(words[i]));
    for (; properties && *properties; properties++)
        g_ptr_array_add(argv, g_strconcat("--property=", *properties, NULL));
    if (self->writable)
        g_ptr_array_add(argv, vgpu_sandbox_path("--property=ReadWritePaths", self->writable));
    g_ptr_array_add(argv, limit_s ? g_strdup_printf("--property=RuntimeMaxSec=%u", limit_s)
                                  : g_strdup("--property=RuntimeMaxSec=infinity"));
    g_ptr_array_add(argv, g_strconcat("--description=", name_of(self), NULL));
    g_ptr_array_add(argv, g_strdup("--"));
}

/* The whole command line, ended by NULL. */
static GPtrArray *
command_line(const VgpuHostProgram *self, const char *const *args, guint limit_s)
{
    bool apart =
        self->apart && g_access(self->path, X_OK) == 0; /* otherwise the error is the usual one */
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) own = g_ptr_array_new();

    if (apart)
        add_unit(argv, self, limit_s);
    g_ptr_array_add(own, (gpointer) self->path);
    if (self->root) {
        g_ptr_array_add(own, (gpointer) "--root");
        g_ptr_array_add(own, (gpointer) self->root);
    }
    if (self->config) {
        g_ptr_array_add(own, (gpointer) "--config");
        g_ptr_array_add(own, (gpointer) self->config);
    }
    for (; *args; args++)
        g_ptr_array_add(own, (gpointer) *args);
    for (guint i = 0; i < own->len; i++)
        g_ptr_array_add(argv,
                        apart ? vgpu_sandbox_argument(own->pdata[i]) : g_strdup(own->pdata[i]));
    g_ptr_array_add(argv, NULL);
    return argv;
}

/* Takes @in. @limit_s: after that it may be killed; 0: never. */
static GSubprocess *
spawn(const VgpuHostProgram *self, const char *const *args, guint limit_s, int in, int out,
      int err, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autoptr(GPtrArray) argv = command_line(self, args, limit_s);
    g_autoptr(GError) failure = NULL;
    GSubprocess *child;

    g_subprocess_launcher_setenv(launcher, VGPU_LOG_BARE, "1", TRUE);
    g_subprocess_launcher_take_stdin_fd(launcher, in);
    g_subprocess_launcher_take_stdout_fd(launcher, fcntl(out, F_DUPFD_CLOEXEC, 0));
    g_subprocess_launcher_take_stderr_fd(launcher, fcntl(err, F_DUPFD_CLOEXEC, 0));
    child = g_subprocess_launcher_spawnv(launcher, (const char *const *) argv->pdata, &failure);
    if (!child)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED, "cannot run %s: %s", self->path,
                    failure->message);
    return child;
}

/* Log the process id of one that hangs, for the administrator. */
static void
give_up(const VgpuHostProgram *self, GSubprocess *child, const char *const *args,
        guint timeout_ms, GSubprocess **left, GError **error)
{
    const char *id = g_subprocess_get_identifier(child);

    g_set_error(error, VGPU_ERROR, VGPU_ERROR_UNKNOWN,
                "%s %s%s%s (process %s) has not answered for %u s and was %s; see the kernel's "
                "log",
                name_of(self), args[0], args[1] ? " " : "", args[1] ? args[1] : "", id ? id : "-",
                (timeout_ms + 999) / 1000, left ? "left behind" : "killed");
    if (left)
        *left = g_object_ref(child);
    else
        g_subprocess_force_exit(child);
}

static void
note(GSubprocess *child)
{
    g_mutex_lock(&running.lock);
    if (!running.children)
        running.children = g_ptr_array_new();
    g_ptr_array_add(running.children, child);
    if (running.is_over)
        g_subprocess_force_exit(child);
    g_mutex_unlock(&running.lock);
}

static void
forget(GSubprocess *child)
{
    g_mutex_lock(&running.lock);
    (void) g_ptr_array_remove_fast(running.children, child);
    g_mutex_unlock(&running.lock);
}

void
vgpu_host_program_end_all(void)
{
    g_mutex_lock(&running.lock);
    running.is_over = true;
    for (guint i = 0; running.children && i < running.children->len; i++)
        g_subprocess_force_exit(g_ptr_array_index(running.children, i));
    g_mutex_unlock(&running.lock);
}

GVariant *
vgpu_host_program_run(const VgpuHostProgram *self, const GVariantType *type,
                      const char *const *args, const char *input, guint timeout_ms,
                      GSubprocess **left, GError **error)
{
    int out = make_file("", error);
    int err = out < 0 ? -1 : make_file("", error);
    int in = err < 0 ? -1 : make_file(input ? input : "", error);
    g_autoptr(GSubprocess) child =
        in < 0 ? NULL : spawn(self, args, left ? 0 : timeout_ms / 1000 + 1, in, out, err, error);
    GVariant *result = NULL;
    bool in_time;

    vgpu_blocking_check("another program");
    if (child && !left)
        note(child);
    in_time = child && wait_for(child, timeout_ms);
    if (child && !left)
        forget(child);
    if (child && !in_time) {
        give_up(self, child, args, timeout_ms, left, error);
    } else if (child) {
        g_autofree char *output = read_file(out);
        g_autofree char *stderr_text = read_file(err);

        result = outcome(self, child, args[0], type, output, stderr_text, error);
    }
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return result;
}
