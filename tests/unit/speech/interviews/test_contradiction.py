import pytest

from speech.interviews.contradiction import find_contradictions, penalty
from speech.interviews.questions import load_bank

EXPECTED = {question.id: question.expected_answer for question in load_bank().questions}

DENIALS = [
    ("os-processes-1", "threads of one process do not share its address space and files"),
    ("os-processes-1", "The threads of a process never share the heap or its open files."),
    ("os-processes-1", "each thread doesn't have a stack and registers of its own"),
    (
        "os-processes-1",
        "well threads of one process have a separate address space and separate files",
    ),
    ("dbms-keys-1", "The values of a primary key don't have to be unique in the table"),
    (
        "dbms-keys-1",
        "a primary key is a column that identifies each row and its values can be null",
    ),
    ("dbms-keys-1", "Values of a primary key may be duplicate, and two rows can have the same."),
    ("dbms-transactions-2", "Durability means what was committed does not survive a crash"),
    (
        "dbms-transactions-3",
        "the database does not write the change to a log before it confirms a commit",
    ),
    (
        "dbms-concurrency-2",
        "in the growing phase of two phase locking a transaction can't acquire locks",
    ),
    (
        "dbms-concurrency-2",
        "two phase locking guarantees that the schedule is serializable and it prevents deadlocks",
    ),
    (
        "dbms-indexing-1",
        "an index does not let the database find rows without scanning the whole table",
    ),
    ("dbms-indexing-1", "An index makes reading rows of a table slower"),
    ("dbms-modelling-4", "A weak entity can be identified by its own attributes alone."),
    ("oops-objects-4", "the state of an immutable object always changes after construction"),
    (
        "oops-polymorphism-2",
        "overloading methods do not have the same name in one class but different parameters",
    ),
    (
        "oops-inheritance-1",
        "a subclass does not get the fields and methods of its superclass by inheritance",
    ),
    ("os-scheduling-1", "a preemptive scheduler cannot interrupt a running process by a timer"),
    ("os-files-1", "the name of a file is in the inode"),
    (
        "os-deadlock-2",
        "with hold and wait a process does not keep what it has while it waits for more",
    ),
    ("reading-plot-1", "The plot is not how the author arranges the events by cause and effect."),
    (
        "reading-character-4",
        "an antagonist must be evil, and stands between the main character and the goal",
    ),
    (
        "reading-theme-4",
        "in dramatic irony the reader does not know something that a character in the scene knows",
    ),
]

RIGHT = [
    ("os-processes-1", "A process does not share its memory with others, but threads of one process share its memory."),
    ("os-processes-1", "They share the heap and open files. They don't share the stack or the registers."),
    ("os-processes-1", "if threads did not share the memory of their process they would have to send messages"),
    ("os-processes-1", "threads not only share the memory of the process, they also share its open files"),
    ("dbms-keys-1", "It must be unique and not null, so no two rows of a table have the same key."),
    ("dbms-keys-1", "A primary key can never be null and never be repeated"),
    ("dbms-keys-2", "You cannot delete the row unless you cascade, and there is never a dangling reference."),
    ("dbms-transactions-1", "All steps happen or none. If the second step does not work the first is rolled back."),
    ("dbms-transactions-2", "isolation means transactions don't disturb each other"),
    ("dbms-concurrency-2", "First it only takes locks and does not release any, then it only releases and takes no more."),
    ("dbms-concurrency-2", "it makes schedules serializable but deadlocks are not prevented"),
    ("dbms-concurrency-4", "readers do not block writers and writers don't block readers because of old versions"),
    ("dbms-indexing-1", "without an index it has to scan every row, so with one it does not scan the table"),
    ("dbms-indexing-4", "When the condition is not selective the index is not worth it and the scan is cheaper."),
    ("dbms-recovery-1", "A replica does not protect against mistakes because a deletion is replicated too."),
    ("oops-objects-3", "Equal objects are not necessarily the same object in memory"),
    ("oops-inheritance-2", "composition does not couple the class to the implementation of a superclass"),
    ("oops-design-2", "The class does not create its objects itself, it receives them through the constructor."),
    ("os-scheduling-1", "With cooperative scheduling nothing can interrupt a process, it has to give up by itself."),
    ("os-scheduling-3", "a low priority process may never run, aging raises its priority so it does not starve"),
    ("os-synchronisation-2", "Only the owner can unlock a mutex, another thread cannot. A semaphore has no owner."),
    ("os-files-1", "It doesn't hold the name. The name is in the directory."),
    ("os-memory-3", "internal fragmentation is space inside a block that is not used"),
    ("reading-plot-1", "The story is in order of time, the plot need not be in order and may use flashbacks."),
    ("reading-character-1", "a round character is not built on a single trait but has several, a flat one does not surprise us"),
    ("reading-character-4", "He does not have to be evil, he only stands in the way of the goal of the hero."),
    ("reading-theme-4", "The audience knows something the character doesn't know, so words have two meanings."),
    ("reading-craft-1", "the narrator does not know what other characters think, so it is limited"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "answer"), DENIALS)
def test_a_denied_key_statement_is_found(question, answer):
    assert find_contradictions(answer, EXPECTED[question])


@pytest.mark.parametrize(("question", "answer"), RIGHT)
def test_a_right_answer_with_a_negation_is_not_accused(question, answer):
    assert find_contradictions(answer, EXPECTED[question]) == []
