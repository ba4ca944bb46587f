"""How English words sound: phones, letter rules, a lexicon. For who hears and who understands."""
