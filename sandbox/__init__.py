"""Stand-in platforms: the 93 province × sector systems, over real HTTP, with known truth and switchable faults.

What is here: published provincial figures in the project's own form (`figures/published.csv`), the plain rules that
continue and complete them (`figures/rules.csv`), the making of returns from both, and the server that delivers them
(`python -m sandbox --help`).

What is not here: anything that reads a return. This room imports no other room; of the warehouse it reads only the
reference data, the CSV files under `warehouse/catalogue/`.
"""
