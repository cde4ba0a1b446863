// Storage: the thread that owns state.db and journal.db.
//
// Control hands it writes and lines and goes on; every write is answered in the control loop. State comes
// before the journal, and whatever waits goes into one transaction. A full queue or a failing disk is an
// answer, never a wait.
#pragma once

#include "daemon/journal_db.hpp"
#include "daemon/state_db.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace fairway::daemon {

/// Both databases, opened, with what they remember; what is made is not readable for the world. Throws
/// std::runtime_error with a sentence if they cannot be. Before there are threads: it sets the umask for a
/// moment.
struct OpenedState {
    int lock = -1; ///< descriptor of the directory's lock: one daemon a directory
    std::unique_ptr<StateDb> state;
    std::unique_ptr<JournalDb> journal;
    policies::Restored restored;
    std::filesystem::path journal_file; ///< for those who read it
    std::vector<std::string> set_aside; ///< sentences: what was damaged and where it lies now
};
OpenedState open_state(const std::filesystem::path& directory, WallTime now, JournalBounds bounds = {});

/// The same beside the process whose directory it still is, and whose `lock` we were given. Nothing is set
/// aside: what is damaged is an error. Once that process writes no more, read_again() has what it wrote last.
OpenedState open_shared_state(const std::filesystem::path& directory, WallTime now, JournalBounds bounds,
                              int lock);
void read_again(OpenedState& opened);

class Storage : public StateStore {
  public:
    /// Writes that may wait: each is a decision; a disk that is 1,024 behind is a failed disk.
    static constexpr std::size_t most_writes = 1024;
    static constexpr std::size_t most_lines = 16384;

    using Post = std::function<void(std::function<void()>)>; ///< into the control loop
    using Clock = std::function<WallTime()>;                 ///< called in the storage thread

    /// `journal_state` is told in the control loop when the journal begins to fail (its error) or writes
    /// again ("").
    Storage(OpenedState opened, Post post, Clock clock, std::function<void(std::string)> journal_state);
    ~Storage() override; ///< writes what waits, then ends the thread

    void write(StateWrite write, Done done) override;
    void append(JournalEntry entry);
    void answered(JournalAnswer answer);

    /// Writes what waits, then nothing more: another process is about to. False: that takes longer than
    /// `patience`, and it writes on. Any thread but control, as resume().
    bool pause(std::chrono::milliseconds patience);
    void resume();
    int lock() const { return opened_.lock; }

  private:
    struct Pending {
        StateWrite write;
        Done done;
    };
    void run();
    void write_all(std::vector<Pending> batch);
    void journal_all(const std::vector<JournalEntry>& entries, const std::vector<JournalAnswer>& answers,
                     std::size_t lost);
    void tell_journal(const std::string& error);

    OpenedState opened_;
    Post post_;
    Clock clock_;
    std::function<void(std::string)> journal_state_;
    std::string journal_error_; ///< storage thread's

    std::mutex mutex_;
    std::condition_variable work_;
    std::vector<Pending> writes_;
    std::vector<JournalEntry> entries_;
    std::vector<JournalAnswer> answers_;
    std::size_t lost_ = 0; ///< lines that found no room
    bool stop_ = false;
    bool paused_ = false, writing_ = false;
    std::condition_variable idle_;
    std::thread thread_;
};

} // namespace fairway::daemon
