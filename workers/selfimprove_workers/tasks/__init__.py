"""Prompts in, answers checked: one checker a task, all with the same typed verdicts."""

from __future__ import annotations

from selfimprove.api.source import Dataset
from selfimprove_workers.tasks.base import Check, Task, Verdict, utility
from selfimprove_workers.tasks.choice import Choice
from selfimprove_workers.tasks.exact import Exact
from selfimprove_workers.tasks.gym import Gym
from selfimprove_workers.tasks.math_task import Math
from selfimprove_workers.tasks.program import Program

__all__ = ["Check", "Choice", "Exact", "Gym", "Math", "Program", "Task", "Verdict", "task_for", "utility"]

TASKS: dict[str, type[Task]] = {"Math": Math, "Choice": Choice, "Exact": Exact, "Program": Program, "Gym": Gym}


def task_for(dataset: Dataset) -> Task:
    """The checker of a dataset's answers. Raises `UserError` for programs on a machine that can't hold them."""
    return TASKS[dataset.task]()
