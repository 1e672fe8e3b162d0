import twofold

twofold.create("notes.twofold", twofold.HashedWords(64)).close()
try:
    twofold.open("notes.twofold", twofold.load_encoder())
    told = ""
except twofold.ContractError as error:
    told = str(error)

assert "dimension" in told and "migrate" in told, told
