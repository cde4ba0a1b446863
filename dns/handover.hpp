// How a new snapshot reaches the workers: a generation number they compare, a mutex touched only on change.
//
// Each worker keeps a shared_ptr of its own and reads through it; while nothing changes it does one atomic
// load a batch. (std::atomic<std::shared_ptr> of this libstdc++ takes a lock at every load, and TSan objects
// to it.)
#pragma once

#include "dns/snapshot.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace fairway::dns {

class Handover {
  public:
    /// From any thread. False: the generation is not above the one published, which therefore stays.
    bool publish(SnapshotPtr next) {
        std::vector<SnapshotPtr> unused; // freed here, on the publisher's time, and outside the lock
        std::scoped_lock lock(mutex_);
        if (current_ && next->generation <= current_->generation) return false;
        if (current_) retired_.push_back(std::move(current_));
        current_ = std::move(next);
        generation_.store(current_->generation, std::memory_order_release);
        take_unused(unused);
        return true;
    }

    std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

    /// Called by a worker with its own pointer, which it brings up to date. Cheap where that is so already.
    void refresh(SnapshotPtr& mine) {
        if (mine && mine->generation == generation()) return;
        std::scoped_lock lock(mutex_);
        mine = current_; // the old one is in retired_: a worker never frees a snapshot
    }

    /// Frees what no worker uses any more. From the publisher's thread, now and then.
    void reap() {
        std::vector<SnapshotPtr> unused;
        std::scoped_lock lock(mutex_);
        take_unused(unused);
    }

  private:
    void take_unused(std::vector<SnapshotPtr>& out) {
        const auto used = [](const SnapshotPtr& s) { return s.use_count() > 1; };
        const auto first = std::partition(retired_.begin(), retired_.end(), used);
        std::move(first, retired_.end(), std::back_inserter(out));
        retired_.erase(first, retired_.end());
    }

    std::atomic<std::uint64_t> generation_{0};
    std::mutex mutex_;
    SnapshotPtr current_;
    std::vector<SnapshotPtr> retired_; // replaced, but perhaps still held by a worker
};

} // namespace fairway::dns
