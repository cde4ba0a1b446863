#include "daemon/storage.hpp"

#include "config/counted.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace fairway::daemon {

namespace fs = std::filesystem;

namespace {

/// An SQLite file has a header of 100 bytes; one that is shorter was cut off (SQLite would take it for a new
/// one).
constexpr std::uintmax_t shortest = 100;

/// "20261120T071300Z", with a number behind it if that name is taken.
fs::path free_name(const fs::path& file, WallTime now) {
    std::string stamp;
    for (char c : to_string(now).substr(0, 19))
        if (c != '-' && c != ':') stamp += c;
    fs::path name = file.string() + ".corrupt-" + stamp + "Z";
    for (int n = 2; fs::exists(name); ++n)
        name = file.string() + ".corrupt-" + stamp + "Z-" + std::to_string(n);
    return name;
}

/// Moves the file and its companions out of the way; they may be what a person can still save something from.
std::string set_aside(const fs::path& file, WallTime now, const std::string& why) {
    const fs::path to = free_name(file, now);
    for (const char* companion : {"", "-wal", "-shm"})
        if (fs::exists(file.string() + companion))
            fs::rename(file.string() + companion, to.string() + companion);
    return why + "; set aside as " + to.string();
}

void refuse_cut_off(const fs::path& file) {
    if (fs::exists(file) && fs::file_size(file) < shortest)
        throw SqliteError(file.string() + ": cut off", true);
}

/// Opens with `open`; a damaged file is set aside and a new one opened in its place.
template<class Open>
void open_or_renew(const fs::path& file, WallTime now, std::vector<std::string>& said, Open open) {
    try {
        refuse_cut_off(file);
        open();
    } catch (const SqliteError& e) {
        if (!e.damaged) throw;
        said.push_back(set_aside(file, now, e.what()));
        open();
    }
}

/// For its life, new files are for the owner and its group: they name operators, reasons and targets. The
/// databases' companions take the mode of their database (SQLite), whenever they are made.
struct NotForTheWorld {
    mode_t before = umask(0027);
    NotForTheWorld() = default;
    NotForTheWorld(const NotForTheWorld&) = delete;
    ~NotForTheWorld() { umask(before); }
};

[[noreturn]] void cannot(const std::string& deed, const fs::path& what, const std::string& why) {
    throw std::runtime_error("state directory: cannot " + deed + " " + what.string() + ": " + why);
}

int lock_directory(const fs::path& directory) {
    const fs::path file = directory / "lock";
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) cannot("open", file, std::strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    close(fd);
    throw std::runtime_error("state directory " + directory.string() + " is in use by another fairwayd");
}

void make_directory(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) cannot("make", directory, error.message());
    if (access(directory.c_str(), R_OK | W_OK | X_OK) != 0) cannot("use", directory, std::strerror(errno));
}

}

OpenedState open_state(const fs::path& directory, WallTime now, JournalBounds bounds) {
    const NotForTheWorld narrow;
    make_directory(directory);
    OpenedState o;
    o.lock = lock_directory(directory);
    open_or_renew(directory / "state.db", now, o.set_aside, [&] {
        o.state = nullptr;
        o.state = std::make_unique<StateDb>(directory / "state.db", now);
        o.restored = o.state->read();
    });
    o.journal_file = directory / "journal.db";
    open_or_renew(o.journal_file, now, o.set_aside, [&] {
        o.journal = nullptr;
        o.journal = std::make_unique<JournalDb>(o.journal_file, bounds);
    });
    return o;
}

OpenedState open_shared_state(const fs::path& directory, WallTime now, JournalBounds bounds, int lock) {
    const NotForTheWorld narrow;
    OpenedState o;
    o.lock = lock;
    o.state = std::make_unique<StateDb>(directory / "state.db", now);
    o.journal_file = directory / "journal.db";
    o.journal = std::make_unique<JournalDb>(o.journal_file, bounds);
    return o;
}

void read_again(OpenedState& opened) { opened.restored = opened.state->read(); }

Storage::Storage(OpenedState opened, Post post, Clock clock, std::function<void(std::string)> journal_state)
    : opened_(std::move(opened)),
      post_(std::move(post)),
      clock_(std::move(clock)),
      journal_state_(std::move(journal_state)),
      thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "storage"); // for whoever looks at one that hangs
}

Storage::~Storage() {
    {
        std::lock_guard hold(mutex_);
        stop_ = true;
    }
    work_.notify_one();
    thread_.join();
    opened_.state.reset();
    opened_.journal.reset();
    close(opened_.lock);
}

void Storage::write(StateWrite write, Done done) {
    {
        std::lock_guard hold(mutex_);
        if (writes_.size() < most_writes) {
            writes_.push_back({std::move(write), std::move(done)});
            done = nullptr;
        }
    }
    work_.notify_one();
    if (done) post_([done] { done(std::to_string(most_writes) + " writes wait for the disk"); });
}

void Storage::append(JournalEntry entry) {
    {
        std::lock_guard hold(mutex_);
        entries_.size() < most_lines ? entries_.push_back(std::move(entry)) : static_cast<void>(++lost_);
    }
    work_.notify_one();
}

void Storage::answered(JournalAnswer answer) {
    {
        std::lock_guard hold(mutex_);
        if (answers_.size() < most_lines) answers_.push_back(answer);
    }
    work_.notify_one();
}

bool Storage::pause(std::chrono::milliseconds patience) {
    std::unique_lock hold(mutex_);
    const auto idle = [&] { return !writing_ && writes_.empty() && entries_.empty() && answers_.empty(); };
    paused_ = idle_.wait_for(hold, patience, idle);
    return paused_;
}

void Storage::resume() {
    {
        std::lock_guard hold(mutex_);
        paused_ = false;
    }
    work_.notify_one();
}

void Storage::run() {
    std::unique_lock hold(mutex_);
    const auto waits = [&] { return !writes_.empty() || !entries_.empty() || !answers_.empty(); };
    for (;;) {
        writing_ = false;
        if (!waits()) idle_.notify_all();
        work_.wait(hold, [&] { return stop_ || (!paused_ && waits()); });
        if (paused_) return; // what waits is not ours to write any more
        writing_ = true;
        if (!writes_.empty()) {
            auto batch = std::exchange(writes_, {});
            hold.unlock();
            write_all(std::move(batch));
        } else if (!entries_.empty() || !answers_.empty()) {
            const auto entries = std::exchange(entries_, {});
            const auto answers = std::exchange(answers_, {});
            const auto lost = std::exchange(lost_, 0);
            hold.unlock();
            journal_all(entries, answers, lost);
        } else {
            return;
        }
        hold.lock();
    }
}

void Storage::write_all(std::vector<Pending> batch) {
    std::vector<StateWrite> writes;
    std::vector<Done> dones;
    for (auto& p : batch) {
        writes.push_back(std::move(p.write));
        dones.push_back(std::move(p.done));
    }
    std::string error;
    try {
        opened_.state->apply(writes, clock_());
    } catch (const std::exception& e) { error = e.what(); }
    post_([dones = std::move(dones), error] {
        for (const auto& done : dones) done(error);
    });
}

void Storage::journal_all(const std::vector<JournalEntry>& entries, const std::vector<JournalAnswer>& answers,
                          std::size_t lost) {
    try {
        opened_.journal->append(entries, answers, clock_());
        if (entries.empty()) return; // moments of answers to lost lines write nothing, and prove nothing
        tell_journal(lost ? counted(lost, "line") + " lost: the queue had no room" : "");
    } catch (const std::exception& e) { tell_journal(e.what()); }
}

void Storage::tell_journal(const std::string& error) {
    if (error.empty() == journal_error_.empty()) return;
    journal_error_ = error;
    post_([tell = journal_state_, error] { tell(error); });
}

} // namespace fairway::daemon
