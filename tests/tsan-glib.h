/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tsan-glib.h: teaches ThreadSanitizer about GLib; included into every file with --enable-tsan
 *
 * GLib is not built with it, so it does not see GLib's locks, which are atomics and futexes inside the library, nor
 * the data that GLib passes between threads, and each use of them would look like a race. This file wraps the
 * functions that the project uses for that, and annotates their meaning. Threads themselves,
 * GRecMutex and GRWLock are pthreads, which it knows; g_atomic_int_*() are done by the compiler.
 *
 * A function that is missing here shows up as a race in correct code: add it, and a case to test-tsan.c. */
#pragma once

#include <gio/gio.h>
#include <glib-unix.h>
#include <sanitizer/tsan_interface.h>

/* --- locks --------------------------------------------------------------------------------- */

/* Annotated as locks, so that it also finds lock order inversions. */
#define TSAN_LOCK_FLAGS __tsan_mutex_linker_init

static inline void
tsan_mutex_clear(GMutex *mutex)
{
    __tsan_mutex_destroy(mutex, TSAN_LOCK_FLAGS);
    g_mutex_clear(mutex);
}

static inline void
tsan_mutex_lock(GMutex *mutex)
{
    __tsan_mutex_pre_lock(mutex, TSAN_LOCK_FLAGS);
    g_mutex_lock(mutex);
    __tsan_mutex_post_lock(mutex, TSAN_LOCK_FLAGS, 0);
}

static inline gboolean
tsan_mutex_trylock(GMutex *mutex)
{
    gboolean locked;

    __tsan_mutex_pre_lock(mutex, TSAN_LOCK_FLAGS | __tsan_mutex_try_lock);
    locked = g_mutex_trylock(mutex);
    __tsan_mutex_post_lock(mutex,
                           TSAN_LOCK_FLAGS | __tsan_mutex_try_lock |
                               (locked ? 0 : __tsan_mutex_try_lock_failed),
                           0);
    return locked;
}

static inline void
tsan_mutex_unlock(GMutex *mutex)
{
    __tsan_mutex_pre_unlock(mutex, 0);
    g_mutex_unlock(mutex);
    __tsan_mutex_post_unlock(mutex, 0);
}

static inline GMutexLocker *
tsan_mutex_locker_new(GMutex *mutex)
{
    tsan_mutex_lock(mutex);
    return (GMutexLocker *) mutex;
}

static inline void
tsan_mutex_locker_free(GMutexLocker *locker)
{
    tsan_mutex_unlock((GMutex *) locker);
}

static inline void
tsan_mutex_locker_cleanup(GMutexLocker **locker)
{
    if (*locker)
        tsan_mutex_locker_free(*locker);
}

/* A condition needs no annotation of its own, as its data is protected by its lock. */
static inline void
tsan_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_mutex_pre_unlock(mutex, 0);
    __tsan_mutex_post_unlock(mutex, 0);
    g_cond_wait(cond, mutex);
    __tsan_mutex_pre_lock(mutex, TSAN_LOCK_FLAGS);
    __tsan_mutex_post_lock(mutex, TSAN_LOCK_FLAGS, 0);
}

static inline gboolean
tsan_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
    gboolean signalled;

    __tsan_mutex_pre_unlock(mutex, 0);
    __tsan_mutex_post_unlock(mutex, 0);
    signalled = g_cond_wait_until(cond, mutex, end);
    __tsan_mutex_pre_lock(mutex, TSAN_LOCK_FLAGS);
    __tsan_mutex_post_lock(mutex, TSAN_LOCK_FLAGS, 0);
    return signalled;
}

/* --- main contexts ------------------------------------------------------------------------- */

/* Attaching a source happens before its dispatch, which our own dispatch() around the original one
 * annotates. */
typedef struct {
    GSourceFuncs funcs;
    const GSourceFuncs *real;
} TsanSourceFuncs;

static inline gboolean
tsan_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    const TsanSourceFuncs *self = (const TsanSourceFuncs *) source->source_funcs;

    __tsan_acquire(source);
    return self->real->dispatch(source, callback, data);
}

static inline GSource *
tsan_source(GSource *source)
{
    TsanSourceFuncs *self =
        g_new(TsanSourceFuncs, 1); /* never freed: the source needs it to its end */

    self->funcs = *source->source_funcs;
    self->funcs.dispatch = tsan_dispatch;
    self->real = source->source_funcs;
    g_source_set_funcs(source, &self->funcs);
    return source;
}

static inline GSource *
tsan_idle_source_new(void)
{
    return tsan_source(g_idle_source_new());
}

static inline GSource *
tsan_timeout_source_new(guint ms)
{
    return tsan_source(g_timeout_source_new(ms));
}

static inline GSource *
tsan_timeout_source_new_seconds(guint seconds)
{
    return tsan_source(g_timeout_source_new_seconds(seconds));
}

static inline GSource *
tsan_unix_fd_source_new(int fd, GIOCondition condition)
{
    return tsan_source(g_unix_fd_source_new(fd, condition));
}

static inline guint
tsan_source_attach(GSource *source, GMainContext *context)
{
    __tsan_release(source);
    return g_source_attach(source, context);
}

static inline void
tsan_source_set_ready_time(GSource *source, gint64 when)
{
    __tsan_release(source);
    g_source_set_ready_time(source, when);
}

static inline guint
tsan_add(GSource *source, GMainContext *context, int priority, GSourceFunc func, gpointer data,
         GDestroyNotify notify)
{
    guint id;

    g_source_set_priority(source, priority);
    g_source_set_callback(source, func, data, notify);
    id = tsan_source_attach(source, context);
    g_source_unref(source);
    return id;
}

static inline guint
tsan_idle_add_full(int priority, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
    return tsan_add(tsan_idle_source_new(), NULL, priority, func, data, notify);
}

static inline guint
tsan_idle_add(GSourceFunc func, gpointer data)
{
    return tsan_idle_add_full(G_PRIORITY_DEFAULT_IDLE, func, data, NULL);
}

static inline guint
tsan_timeout_add_full(int priority, guint ms, GSourceFunc func, gpointer data,
                      GDestroyNotify notify)
{
    return tsan_add(tsan_timeout_source_new(ms), NULL, priority, func, data, notify);
}

static inline guint
tsan_timeout_add(guint ms, GSourceFunc func, gpointer data)
{
    return tsan_timeout_add_full(G_PRIORITY_DEFAULT, ms, func, data, NULL);
}

static inline guint
tsan_timeout_add_seconds(guint seconds, GSourceFunc func, gpointer data)
{
    return tsan_add(tsan_timeout_source_new_seconds(seconds), NULL, G_PRIORITY_DEFAULT, func,
                    data, NULL);
}

/* Always attach the source: that it could run at once makes no difference to the order of accesses. */
static inline void
tsan_main_context_invoke_full(GMainContext *context, int priority, GSourceFunc func,
                              gpointer data, GDestroyNotify notify)
{
    tsan_add(tsan_idle_source_new(), context, priority, func, data, notify);
}

static inline void
tsan_main_context_invoke(GMainContext *context, GSourceFunc func, gpointer data)
{
    tsan_main_context_invoke_full(context, G_PRIORITY_DEFAULT, func, data, NULL);
}

/* --- queues and pools ---------------------------------------------------------------------- */

static inline void
tsan_async_queue_push(GAsyncQueue *queue, gpointer data)
{
    __tsan_release(queue);
    g_async_queue_push(queue, data);
}

static inline gpointer
tsan_async_queue_pop(GAsyncQueue *queue)
{
    gpointer data = g_async_queue_pop(queue);

    __tsan_acquire(queue);
    return data;
}

static inline gpointer
tsan_async_queue_try_pop(GAsyncQueue *queue)
{
    gpointer data = g_async_queue_try_pop(queue);

    __tsan_acquire(queue);
    return data;
}

static inline gpointer
tsan_async_queue_timeout_pop(GAsyncQueue *queue, guint64 us)
{
    gpointer data = g_async_queue_timeout_pop(queue, us);

    __tsan_acquire(queue);
    return data;
}

/* The pool's own function with its data, which is not freed: its threads may be left behind. */
typedef struct {
    GFunc func;
    gpointer data;
} TsanPool;

static inline void
tsan_run_in_pool(gpointer item, gpointer data)
{
    TsanPool *self = data;

    __tsan_acquire(self);
    self->func(item, self->data);
    __tsan_release(self);
}

static inline GThreadPool *
tsan_thread_pool_new(GFunc func, gpointer data, int max, gboolean exclusive, GError **error)
{
    TsanPool *self = g_new(TsanPool, 1);

    self->func = func;
    self->data = data;
    __tsan_release(self);
    return g_thread_pool_new(tsan_run_in_pool, self, max, exclusive, error);
}

static inline gboolean
tsan_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
    __tsan_release(pool->user_data);
    return g_thread_pool_push(pool, data, error);
}

static inline void
tsan_thread_pool_free(GThreadPool *pool, gboolean immediate, gboolean wait)
{
    TsanPool *self = pool->user_data;

    g_thread_pool_free(pool, immediate, wait);
    if (wait)
        __tsan_acquire(self);
}

/* --- references and once ------------------------------------------------------------------- */

static inline gboolean
tsan_atomic_ref_count_dec(gatomicrefcount *count)
{
    gboolean is_last;

    __tsan_release(count);
    is_last = g_atomic_ref_count_dec(count);
    if (is_last)
        __tsan_acquire(count);
    return is_last;
}

/* The only owner may change data that others have released. */
static inline gboolean
tsan_atomic_ref_count_compare(gatomicrefcount *count, gint value)
{
    gboolean is_so = g_atomic_ref_count_compare(count, value);

    if (is_so)
        __tsan_acquire(count);
    return is_so;
}

/* A caller that was not the last may see more than it should here: a race can be missed, but none is reported
 * falsely. */
static inline void
tsan_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear)
{
    __tsan_release(box);
    __tsan_acquire(box);
    g_atomic_rc_box_release_full(box, clear);
}

static inline gboolean
tsan_once_init_enter(gsize *location)
{
    gboolean is_first = (g_once_init_enter) (location);

    if (!is_first)
        __tsan_acquire(location);
    return is_first;
}

static inline void
tsan_once_init_leave(gsize *location, gsize result)
{
    __tsan_release(location);
    (g_once_init_leave)(location, result);
}

/* --- from here on -------------------------------------------------------------------------- */

#undef g_once_init_enter
#undef g_once_init_leave
#define g_once_init_enter(location) tsan_once_init_enter((gsize *) (location))
#define g_once_init_leave(location, result)                                                      \
    tsan_once_init_leave((gsize *) (location), (gsize) (result))

#define glib_autoptr_cleanup_GMutexLocker tsan_mutex_locker_cleanup
#define g_mutex_locker_new tsan_mutex_locker_new
#define g_mutex_locker_free tsan_mutex_locker_free
#define g_mutex_clear tsan_mutex_clear
#define g_mutex_lock tsan_mutex_lock
#define g_mutex_trylock tsan_mutex_trylock
#define g_mutex_unlock tsan_mutex_unlock
#define g_cond_wait tsan_cond_wait
#define g_cond_wait_until tsan_cond_wait_until

#define g_idle_source_new tsan_idle_source_new
#define g_timeout_source_new tsan_timeout_source_new
#define g_timeout_source_new_seconds tsan_timeout_source_new_seconds
#define g_unix_fd_source_new tsan_unix_fd_source_new
#define g_source_attach tsan_source_attach
#define g_source_set_ready_time tsan_source_set_ready_time
#define g_idle_add tsan_idle_add
#define g_idle_add_full tsan_idle_add_full
#define g_timeout_add tsan_timeout_add
#define g_timeout_add_full tsan_timeout_add_full
#define g_timeout_add_seconds tsan_timeout_add_seconds
#define g_main_context_invoke tsan_main_context_invoke
#define g_main_context_invoke_full tsan_main_context_invoke_full

#define g_async_queue_push tsan_async_queue_push
#define g_async_queue_pop tsan_async_queue_pop
#define g_async_queue_try_pop tsan_async_queue_try_pop
#define g_async_queue_timeout_pop tsan_async_queue_timeout_pop
#define g_thread_pool_new tsan_thread_pool_new
#define g_thread_pool_push tsan_thread_pool_push
#define g_thread_pool_free tsan_thread_pool_free

#define g_atomic_ref_count_dec tsan_atomic_ref_count_dec
#define g_atomic_ref_count_compare tsan_atomic_ref_count_compare
#define g_atomic_rc_box_release_full tsan_atomic_rc_box_release_full
