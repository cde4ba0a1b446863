// Threads of the DNS front: named for whoever looks at them, and deaf to signals: those that ask for
// something are the main thread's, and SIGPIPE says what errno does.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <functional>
#include <thread>

namespace fairway::dns {

inline std::thread start_thread(const char* name, std::function<void()> body) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // a thread is born with its maker's mask
    std::thread thread(std::move(body));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread.native_handle(), name);
    return thread;
}

} // namespace fairway::dns
