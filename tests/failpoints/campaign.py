"""Kills at every place of a group, one after the other, in one house."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.failpoints.house import open_house
from tests.failpoints.places import GROUPS, HOT
from tests.failpoints.scenes import LATEST_PASS, settle


@dataclass(slots=True)
class Killed:
    """Places where a process was killed at its first pass, and at a later one."""

    first: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


def later_passes(group: str, seed: int, *, share: float) -> dict[str, int]:
    """Hot places of a group with the pass at which they are killed once more."""
    random = Random(f"{group}/{seed}")
    hot = [place for place in GROUPS[group] if place in HOT]
    return {
        place: random.randint(2, LATEST_PASS)
        for place in random.sample(hot, round(len(hot) * share))
    }


async def kill_everywhere(
    group: str, folder: Path, url: str, *, seed: int = 1, share: float = 0.2
) -> Killed:
    """Raises where a process is not killed, an order does not end, or the books are wrong."""
    done = Killed()
    async with open_house(folder, url) as house:
        await house.begin("worker")
        await house.begin("api")
        for place, scene in GROUPS[group].items():
            await scene(house, place)
            await settle(house)
            done.first.append(place)
        for place, nth in later_passes(group, seed, share=share).items():
            await GROUPS[group][place](house, f"{place}:{nth}")
            await settle(house)
            done.later.append(f"{place}:{nth}")
    return done
