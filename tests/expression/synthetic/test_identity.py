"""Who the simulated participants are."""

from __future__ import annotations

from collections import Counter

import numpy as np

from expression.synthetic.identity import ANCESTRIES, sample_identity

CROWD = [sample_identity(seed) for seed in range(60)]


def test_the_same_seed_is_the_same_person():
    assert sample_identity(17) == sample_identity(17)


def test_women_and_men_are_as_many():
    assert Counter(person.sex for person in CROWD) == {"female": 30, "male": 30}


def test_every_ancestry_is_the_main_one_of_a_third():
    main = Counter(max(ANCESTRIES, key=lambda name: person.ancestry[name]) for person in CROWD)
    assert main == dict.fromkeys(ANCESTRIES, 20)
    women = Counter(max(ANCESTRIES, key=lambda name: p.ancestry[name]) for p in CROWD if p.sex == "female")
    assert women == dict.fromkeys(ANCESTRIES, 10)


def test_ancestry_weights_are_shares():
    for person in CROWD:
        assert np.isclose(sum(person.ancestry.values()), 1)
        assert min(person.ancestry.values()) >= 0


def test_one_in_six_wears_glasses():
    assert sum(person.glasses is not None for person in CROWD) == 10


def test_ages_are_those_of_the_participants():
    ages = [person.age for person in CROWD]
    assert min(ages) >= 17
    assert max(ages) <= 40


def test_only_men_have_beards():
    assert all(person.hair.beard == "none" for person in CROWD if person.sex == "female")
    assert len({person.hair.beard for person in CROWD}) >= 4


def test_hair_is_worn_in_many_ways():
    assert len({person.hair.style for person in CROWD}) >= 8


def test_no_two_faces_have_the_same_shape():
    names = sorted(set().union(*(person.shape for person in CROWD)))
    shapes = np.array([[person.shape.get(name, 0.0) for name in names] for person in CROWD])
    apart = np.linalg.norm(shapes[:, None] - shapes[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.5
